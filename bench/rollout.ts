// How canaries are judged, simulated: `node bench/rollout.ts [--no-save] [--quick]`. Writes rollout.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { circumstances } from './results.ts'
import { bets } from './rollout/bets.ts'
import { guards } from './rollout/guards.ts'
import { errorRates, harms } from './rollout/tables.ts'

const began = performance.now()
const quick = process.argv.includes('--quick')
const [rates, sizes] = [errorRates(quick ? 100 : 1000), harms(quick ? 20 : 100)]
const [each, means] = [guards(quick ? 40 : 400), bets(quick ? 20 : 200)]
const { date, commit, machine } = circumstances(new Map())
const text = `# How canaries are judged

Simulated requests go through the tallies, sketches and guardrails that the operator uses, with continuous looking: after every 20 requests of both arms, up to 2,000 each. A
canary that is as its control has 1 % errors, 0.5 % cut answers, 2 % refusals, 10 % escalations, log-normal latency and costs, and marks around 0.8. Metrics depend on each other: large
requests take longer, cost more and are cut more often, hard ones are refused, escalated and answered badly. In a bad hour of the provider both arms have 6 % errors. "Worse by
just the margins" is the worst that is still no harm: errors, latency and cost at their margins all at once. The fixed thresholds are those of the projects' own examples, over a window
of 60 requests; they look at the canary alone, so that the provider's bad hour is the canary's fault.

Margins, where not said otherwise: 1 point of errors, cut answers and refusals, 2 points of escalations and quality, 10 % of latency, first token and cost. α is 5 % for all guardrails of a row together. Guardrails
are put together by the mean of their e-values; beside it, α merely split among them.

\`node bench/rollout.ts\`, ${date}, commit ${commit}, ${machine}, ${((performance.now() - began) / 1000).toFixed(0)} s.

${rates}

How soon each kind of harm is found, up to 6,000 requests of the canary; where the canary gets 5 % of the requests (4 of 80 between two looks), up to 1,500:

${sizes}

Each guardrail by itself, 400 runs of 3,000 requests of the canary (4,000 for errors, 1,000 where it gets 5 % of all), looked at after every batch. At the margin both columns may be 5 %; cleared means
that harm beyond the margin is excluded, which a promotion asks for:

${each}

Why means are compared by a mixture test with estimated variances, and not by a bet that is exact: the fall of quality by 5 points, margin 2 points, evidence 20:

${means}

Flagger: a request success rate of 99 % and a threshold of 5 failed checks, docs.flagger.app, "How it works". Argo Rollouts: a success condition of 95 % and a failureLimit of 3, argo-rollouts.readthedocs.io, "Analysis".
`
console.log(text)
if (!process.argv.includes('--no-save')) writeFileSync(join(import.meta.dirname, 'rollout.md'), text)
