// Canaries over a real fleet: `node bench/canaries.ts [--sidecars 20] [--kills 100] [--no-save]`. Writes canaries.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { canaryEndpoints, canaryModels, cases, rollOut } from '../test/helpers/canaries.ts'
import { killLeaders, killModels } from '../test/helpers/kills.ts'
import { startFleetLab } from '../test/helpers/lab.ts'
import { circumstances } from './results.ts'

const { values } = parseArgs({
  options: {
    sidecars: { type: 'string', default: '20' },
    kills: { type: 'string', default: '100' },
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const [sidecars, rollouts, perSecond] = [Number(values.sidecars), Number(values.kills), 150]
const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`

async function canaries(): Promise<readonly string[]> {
  const lab = await startFleetLab({ operators: 2, sidecars, models: canaryModels, endpoints: canaryEndpoints })
  const rows: string[] = []
  try {
    for (const it of cases) {
      const { rollout, seconds, back, requests, failed, canary, after } = await rollOut(lab, it, perSecond, 300_000)
      const [worst] = rollout.guardrails.toSorted((a, b) => Number(b.evidence) - Number(a.evidence))
      const evidence = worst ? `${worst.metric} ${Number(worst.evidence).toPrecision(3)}` : ''
      rows.push(
        row(
          it.about,
          rollout.phase,
          seconds.toFixed(1),
          requests,
          failed,
          canary,
          rollout.harmed,
          evidence,
          rollout.phase === 'RolledBack' ? back.toFixed(0) : '',
          rollout.phase === 'RolledBack' ? after : '',
        ),
      )
      console.log(rows.at(-1))
    }
  } finally {
    await lab.stop()
  }
  return rows
}

async function kills() {
  const lab = await startFleetLab({ operators: 2, sidecars: 3, models: killModels })
  const width = 10
  try {
    return await killLeaders(lab, { rounds: Math.ceil(rollouts / width), width, seed: 1, perSecond: 200 })
  } finally {
    await lab.stop()
  }
}

const rows = await canaries()
const killed = await kills()
const { date, commit, machine } = circumstances(new Map())
const text = `# Canaries over a real fleet

A real API server, two operators, ${sidecars} sidecars as processes and model servers on one machine; ${perSecond} requests a second, half of them streams; steps 1, 25, 50 and 100 %, a second and 100 requests of each arm at least. Failed are requests that a caller got no
whole answer to: none may, since the rule falls back. Harmed are those that the canary itself failed beyond the stable target's share. *Back in* is from the decision in the resource to the last sidecar's acknowledgement; *after* are requests that the canary was asked in the second after that.

\`node bench/canaries.ts\`, ${date}, commit ${commit}, ${machine}.

${[
  row(
    'canary',
    'outcome',
    'seconds',
    'requests',
    'failed',
    'to the canary',
    'harmed',
    'evidence',
    'back in, ms',
    'after',
  ),
  row('---', '---', ...Array.from({ length: 8 }, () => '---:')),
  ...rows,
].join('\n')}

${killed.rollouts} rollouts, half of them with a harmful canary, whose leader was killed ${killed.kills} times, at a random moment of each ${killed.rollouts / killed.kills} at a time: ${killed.other.length} came to another end, ${killed.skipped.length} left out a step, ${killed.failures.length} of ${killed.requests} requests failed.
`
console.log(text)
for (const odd of [...killed.other, ...killed.skipped, ...killed.failures]) console.log(odd)
if (values.save) writeFileSync(join(import.meta.dirname, 'canaries.md'), text)
