// How experiments are read and decided, simulated: `node bench/experiments.ts [--no-save] [--quick]`. Writes experiments.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coverage, decisions } from './experiments/tables.ts'
import { circumstances } from './results.ts'

const began = performance.now()
const quick = process.argv.includes('--quick')
const [missed, decided] = [coverage(quick ? 40 : 300), decisions(quick ? 10 : 60)]
const { date, commit, machine } = circumstances(new Map())
const text = `# How experiments are read and decided

Simulated users go through the tallies, clusters, intervals and decisions that sidecars and operator use. Users ask again and again, some more than others, and are not alike: costs of one user's requests differ from
another's by a factor of e^0.6, one standard deviation; so do their errors (2 %) and, by 12 points, their marks. Both arms are looked at after every 500 requests.

\`node bench/experiments.ts\`, ${date}, commit ${commit}, ${machine}, ${((performance.now() - began) / 1000).toFixed(0)} s.

How often intervals of 95 % leave out, at some look of 40 at 20,000 requests, that there is no difference; 5 % is promised. Beside them the same sequences that take requests for independent. Mismatch: the
sample ratio blocks an experiment in which nothing is wrong (${quick ? 40 : 300} runs a row):

${missed}

What is decided up to 40,000 requests, with all three metrics (least effects: cost 5 %, errors 1 point, quality 2 points) and 1,000 requests of each arm at least:

${decided}
`
console.log(text)
if (!process.argv.includes('--no-save')) writeFileSync(join(import.meta.dirname, 'experiments.md'), text)
