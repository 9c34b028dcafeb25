// A long soak: `node bench/soak.ts [--minutes 60] [--seed 1] [--no-save]`. Writes soak.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { soak } from '../test/helpers/soak.ts'
import { circumstances } from './results.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const [minutes, seed, sidecars, perSecond] = [Number(values.minutes), Number(values.seed), 4, 40]
const began = performance.now()
const soaked = await soak({
  seconds: minutes * 60,
  seed,
  sidecars,
  perSecond,
  did: (what) => console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${what}`),
})
const { requests, failed, failures, done, memory } = soaked
const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
const { date, commit, machine } = circumstances(new Map())
const text = `# A soak

Two operators, ${sidecars} sidecars, three model servers and a real API server on one machine, ${perSecond} requests a second, half of them streams, for ${minutes} minutes. All the while something is done to it, drawn from a seed: an edit of the weights
(to nothing and from nothing too), a rollout that begins, a fault of one model server for a while, an operator killed while it leads, a sidecar restarted as a pod is, the API server restarted. Somebody is always left who can answer, so that no request may fail.

\`node bench/soak.ts --minutes ${minutes} --seed ${seed}\`, ${date}, commit ${commit}, ${machine}.

${[row('requests', 'failed'), row('---:', '---:'), row(requests, failed)].join('\n')}

${[row('done to it', 'times'), row('---', '---:'), ...Object.entries(done).map(([what, times]) => row(what, times))].join('\n')}

Resident memory of the processes that were there all the time, MiB, the median of the second quarter of the time and of the last:

${[row('process', 'second', 'last'), row('---', '---:', '---:'), ...Object.entries(memory).map(([name, [early, late]]) => row(name.replace(/-\d+-/, '-'), early.toFixed(0), late.toFixed(0)))].join('\n')}
`
console.log(text)
for (const failure of failures) console.log(failure)
if (values.save) writeFileSync(join(import.meta.dirname, 'soak.md'), text)
process.exitCode = failed === 0 ? 0 : 1
