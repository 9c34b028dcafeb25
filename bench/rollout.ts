// How canaries are judged, simulated: `node bench/rollout.ts [--no-save]`. Writes rollout.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { circumstances } from './results.ts'
import { errorRates } from './rollout/errors.ts'

const began = performance.now()
const table = errorRates(1000)
const { date, commit, machine } = circumstances(new Map())
const text = `# How canaries are judged

Simulated, with continuous looking: both arms get 20 requests between two looks, up to 2,000 each. A harmless canary is as its control: 1 % errors, 0.5 % cut answers, 2 % refusals, 10 %
escalations, 5 % slower than 95 of 100 in latency and in first token, the same skewed costs. A harmful one has 6 % errors; in a bad hour of the provider both arms have. The fixed thresholds are those of the projects' own examples, over a window of
60 requests; they look at the canary alone, so that the provider's bad hour is the canary's fault.

\`node bench/rollout.ts\`, ${date}, commit ${commit}, ${machine}, ${((performance.now() - began) / 1000).toFixed(0)} s.

${table}

Flagger: a request success rate of 99 % and a threshold of 5 failed checks, docs.flagger.app, "How it works". Argo Rollouts: a success condition of 95 % and a failureLimit of 3, argo-rollouts.readthedocs.io, "Analysis".
`
console.log(text)
if (!process.argv.includes('--no-save')) writeFileSync(join(import.meta.dirname, 'rollout.md'), text)
