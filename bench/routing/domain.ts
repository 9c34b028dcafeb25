import { readArtefact, writeArtefact } from '../../core/learning/artefact.ts'
import type { Artefact } from '../../core/learning/artefact.ts'
import { CERTIFY_DEFAULTS } from '../../core/learning/certificate.ts'
import { featureReader } from '../../core/learning/features.ts'
import { fit } from '../../core/learning/fit.ts'
import { Guard } from '../../core/learning/guard.ts'
import { vouched } from '../../core/learning/vouch.ts'
import { percent } from './cascade.ts'
import { place, promptKey } from '../../core/learning/split.ts'
import type { Row } from './data.ts'

const SEEDS = [1, 2, 3, 4, 5]
/** Of the prompts trained on so many teach the heads, and so many, the next, set what is novel and which thresholds are tried; the rest certify. */
const [TAUGHT, HELD] = [0.5, 0.65]
const ISSUED = '2026-01-01'

/** What is served: rows of another kind than those trained on, and which model of theirs stands for which of the artefact's. */
interface Served {
  readonly name: string
  readonly rows: readonly Row[]
  readonly weak: string
  readonly strong: string
}

/** Artefacts that serve what they have not seen the like of, as Markdown. */
export function domain(routellm: readonly Row[], zeroeval: readonly Row[]): string {
  const [mixtral, gpt4] = ['mixtral-8x7b-instruct', 'gpt-4-1106-preview']
  const seen = new Set(routellm.map(({ prompt }) => promptKey(prompt)))
  const unseen = zeroeval.filter(({ prompt }) => !seen.has(promptKey(prompt)))
  const tasks = [...new Set(zeroeval.map(({ dataset }) => dataset))]
  const near = ['gpt-4o-mini-2024-07-18', 'gpt-4o-2024-08-06'] as const
  const far = ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022'] as const
  const lines = [
    ...trial('RouteLLM', routellm, mixtral, gpt4, [
      ...[near, far].map(([weak, strong]) => served('ZeroEval, prompts not in RouteLLM', unseen, weak, strong)),
    ]),
    ...trial(
      'RouteLLM, MMLU only',
      routellm.filter(({ dataset }) => dataset === 'mmlu'),
      mixtral,
      gpt4,
      [
        served(
          'RouteLLM, GSM8K',
          routellm.filter(({ dataset }) => dataset === 'gsm8k'),
          mixtral,
          gpt4,
        ),
      ],
    ),
    ...tasks
      .map((task) => ({ task, rows: zeroeval.filter(({ dataset, models }) => dataset === task && models[near[1]]) }))
      .filter(({ rows }) => rows.length > 0)
      .flatMap(({ task, rows }) =>
        trial(
          `ZeroEval without ${task}`,
          zeroeval.filter(({ dataset }) => dataset !== task),
          ...near,
          [served(`ZeroEval, ${task}`, rows, ...near)],
        ),
      ),
  ]
  return [
    '### Trained on one kind of prompts, serving another: 98 % promised, δ = 0.05',
    '',
    '| trained on | serving | retention without a guard | with it | standard error | kept cheap: without · with | the guard at its own kind: retention · kept cheap |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** Rows that both models answered. */
const served = (name: string, rows: readonly Row[], weak: string, strong: string): Served => ({
  name,
  rows: rows.filter(({ models }) => models[weak] && models[strong]),
  weak,
  strong,
})

function trial(
  name: string,
  rows: readonly Row[],
  weak: string,
  strong: string,
  others: readonly Served[],
): readonly string[] {
  const known = rows.filter(({ models }) => models[weak] && models[strong])
  const runs = SEEDS.map((seed) => {
    const own = known.filter(({ prompt }) => place(prompt, 100 + seed) < 0.2)
    const artefact = trained(
      known.filter(({ prompt }) => place(prompt, 100 + seed) >= 0.2),
      weak,
      strong,
      seed,
    )
    const at = (set: Served, guarded: boolean): Result => serve(artefact, set, [weak, strong], seed, guarded)
    return {
      home: at(served(name, own, weak, strong), true),
      away: others.map((set) => ({ set, bare: at(set, false), guarded: at(set, true) })),
    }
  })
  return others.map((set, index) => {
    const away = runs.flatMap(({ away }) => away[index] ?? [])
    const home = runs.map(({ home }) => home)
    return (
      `| ${name} | ${set.name}: ${set.weak} → ${set.strong}, ${set.rows.length} prompts ` +
      `| ${spread(away.map(({ bare }) => bare.retention))} | ${spread(away.map(({ guarded }) => guarded.retention))} ` +
      `| ${percent(mean(away.map(({ guarded }) => guarded.error)))} ` +
      `| ${percent(mean(away.map(({ bare }) => bare.kept)))} · ${percent(mean(away.map(({ guarded }) => guarded.kept)))} ` +
      `| ${spread(home.map((it) => it.retention))} · ${percent(mean(home.map((it) => it.kept)))} |`
    )
  })
}

const mean = (values: readonly number[]): number => values.reduce((sum, it) => sum + it, 0) / values.length
const spread = (values: readonly number[]): string =>
  `${percent(mean(values))} (${(100 * Math.min(...values)).toFixed(1)}–${(100 * Math.max(...values)).toFixed(1)})`

/** An artefact with its promises, made as `tradewind train` makes one. */
function trained(rows: readonly Row[], weak: string, strong: string, seed: number): Artefact {
  const models = [weak, strong]
  const part = (from: number, to: number): readonly Row[] =>
    rows.filter(({ prompt }) => place(prompt, seed) >= from && place(prompt, seed) < to)
  const [taught, held, certify] = [part(0, TAUGHT), part(TAUGHT, HELD), part(HELD, 1)]
  const quality = (of: readonly Row[], model: string): Float64Array =>
    Float64Array.from(of, (row) => row.models[model]?.q ?? Number.NaN)
  const { heads, standard } = fit(
    {
      texts: taught.map(({ prompt }) => prompt),
      targets: new Map(models.map((model) => [model, quality(taught, model).map((q) => (q >= 0.5 ? 1 : 0))])),
    },
    { seed, read: featureReader() },
  )
  const parts = {
    textRule: 'LastUser' as const,
    provenance: { data: '', date: ISSUED, version: '', rows: taught.length, seed, bar: 0.5 },
    standard,
    heads,
  }
  const witness = ({ prompt, models: answers }: Row) => ({
    text: prompt,
    segment: '*',
    outcome: models.map((model) => answers[model]?.q ?? Number.NaN),
  })
  const { sections } = vouched(
    readArtefact(writeArtefact({ ...parts, sections: new Map() })),
    taught.map(({ prompt }) => prompt),
    held.map(witness),
    certify.map(witness),
    { ...CERTIFY_DEFAULTS, issued: ISSUED, strong, weak: [weak], field: '*' },
  )
  return readArtefact(writeArtefact({ ...parts, sections }))
}

interface Result {
  readonly retention: number
  /** Standard error of the retention. */
  readonly error: number
  readonly kept: number
}

/** Serves rows in an order by lot, one after the other, by the certified threshold alone or by all of the guard. */
function serve(
  artefact: Artefact,
  { rows, weak, strong }: Served,
  [, best]: readonly [string, string],
  seed: number,
  guarded: boolean,
): Result {
  const guard = Guard.of(artefact)
  const order = rows.toSorted((a, b) => place(a.prompt, 200 + seed) - place(b.prompt, 200 + seed))
  const pairs = order.map(({ prompt, models }) => {
    const found = guard?.route('*', prompt, artefact.quality(prompt), Date.parse(ISSUED))
    const cheap = guarded
      ? found?.reason === undefined && found?.model !== best
      : (found?.score ?? 0) >= (found?.threshold ?? Infinity)
    const [w, s] = [models[weak]?.q ?? 0, models[strong]?.q ?? 0]
    return { cheap, routed: cheap ? w : s, s }
  })
  const strongSum = pairs.reduce((sum, { s }) => sum + s, 0)
  const retention = pairs.reduce((sum, { routed }) => sum + routed, 0) / strongSum
  const squares = pairs.reduce((sum, { routed, s }) => sum + (routed - retention * s) ** 2, 0)
  return {
    retention,
    error: Math.sqrt(squares) / strongSum,
    kept: pairs.filter(({ cheap }) => cheap).length / pairs.length,
  }
}
