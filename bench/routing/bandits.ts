import { Merged } from '../../core/bandits/merged.ts'
import { formOf } from '../../core/bandits/form.ts'
import type { Memory } from '../../core/bandits/memory.ts'
import { algorithms } from '../../core/bandits/policy.ts'
import type { Algorithm } from '../../core/bandits/policy.ts'
import { seeded, shuffled } from '../../core/learning/random.ts'
import { now } from '../wire.ts'
import { ARMS, LAMBDA, mean, play, sceneOf, spread, utilityOf } from './bandit-scene.ts'
import type { Play, Scene, Step } from './bandit-scene.ts'
import type { Row } from './data.ts'

const SEEDS = [1, 2, 3, 4, 5]
/** Times that all prompts come, each in an order of its own. */
const ROUNDS = 4
const FLEET = 20
/** The default of `strategy.bandit.halfLife`. */
const HALF_LIFE = 350

/** Bandits on real answers, as Markdown: what they are worth beside a textbook's, the best fixed arm and the oracle; a fleet; a world that changes. */
export function bandits(zeroeval: readonly Row[]): string {
  const scene = sceneOf(zeroeval)
  return [
    `${ARMS.length} arms (${ARMS.map(([model]) => model).join(', ')}), ${scene.rows.length} prompts of ZeroEval, list prices of late 2024. Utility is quality − ${LAMBDA} · cost ÷ mean cost of the dearest arm.`,
    `Settings are the defaults of \`strategy.bandit\`; nothing is known beforehand, rewards come at once. Mean over ${SEEDS.length} seeds with its 95 % interval (Student’s t), (least … most).`,
    '',
    worth(scene),
    '',
    fleet(scene),
    '',
    changes(scene),
    '',
    time(scene),
  ].join('\n')
}

function worth(scene: Scene): string {
  const n = scene.rows.length
  const fixed = ARMS.map((_, arm) => mean(scene.answers.map((answers) => utilityOf(scene, answers, arm))))
  const oracle = mean(scene.answers.map((answers) => Math.max(...ARMS.map((_, arm) => utilityOf(scene, answers, arm)))))
  const runs = (play: (seed: number, requests: number) => readonly Step[]) =>
    [n, ROUNDS * n].map((requests) =>
      spread(SEEDS.map((seed) => mean(play(seed, requests).map(({ utility }) => utility)))),
    )
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['any arm, at random', [figure(mean(fixed)), figure(mean(fixed))]],
    [
      'textbook ε-greedy (ε 0.1, moving average of quality, no cost, no context)',
      runs((seed, requests) => textbook(scene, seed, requests)),
    ],
    ...algorithms.map(
      (algorithm) => [algorithm, runs((seed, requests) => play(scene, { algorithm, seed, requests }))] as const,
    ),
    ...(['Thompson', 'LinTS'] as const).map(
      (algorithm) =>
        [
          `${algorithm}, one answer in five rewarded, 200 requests late`,
          runs((seed, requests) => play(scene, { algorithm, seed, requests, feedback: { part: 0.2, late: 200 } })),
        ] as const,
    ),
    ...(['LinUCB', 'LinTS'] as const).map(
      (algorithm) =>
        [
          `${algorithm}, exploring at any cost, no least propensity, 10 first rewards`,
          runs((seed, requests) =>
            play(scene, {
              algorithm,
              seed,
              requests,
              explore: { spendPercent: 100, leastPercent: 0, firstRewards: 10 },
            }),
          ),
        ] as const,
    ),
    [
      `best fixed arm, known beforehand (${ARMS[fixed.indexOf(Math.max(...fixed))]?.[0]})`,
      [figure(Math.max(...fixed)), figure(Math.max(...fixed))],
    ],
    ['best arm of each data set, known beforehand', Array(2).fill(figure(bySet(scene)))],
    ['oracle', [figure(oracle), figure(oracle)]],
  ]
  return [
    `| utility | ${n} requests | ${ROUNDS * n} requests |`,
    '|---|---|---|',
    ...rows.map(([name, cells]) => `| ${name} | ${cells.join(' | ')} |`),
  ].join('\n')
}

/** Each data set has the arm that is best for it. */
function bySet(scene: Scene): number {
  const sets = Map.groupBy(scene.rows.keys(), (row) => scene.rows[row]?.dataset)
  const best = [...sets.values()].map((rows) =>
    Math.max(
      ...ARMS.map((_, arm) => rows.reduce((sum, row) => sum + utilityOf(scene, scene.answers[row] ?? [], arm), 0)),
    ),
  )
  return best.reduce((sum, each) => sum + each, 0) / scene.rows.length
}

/** The one of textbooks: the best by a moving average, one in ten at random; its reward has no cost. */
function textbook(scene: Scene, seed: number, requests: number): readonly Step[] {
  const random = seeded(seed)
  const averages = ARMS.map(() => 0.5)
  const steps: Step[] = []
  let order = shuffled(0, random)
  for (let at = 0; at < requests; at++) {
    if (at % scene.rows.length === 0) order = shuffled(scene.rows.length, random)
    const answers = scene.answers[order[at % scene.rows.length] ?? 0] ?? []
    const best = averages.indexOf(Math.max(...averages))
    const arm = random() < 0.1 ? Math.floor(random() * ARMS.length) : best
    averages[arm] = (averages[arm] ?? 0) + 0.1 * ((answers[arm]?.q ?? 0) - (averages[arm] ?? 0))
    steps.push({ arm, best: arm === best, utility: utilityOf(scene, answers, arm) })
  }
  return steps
}

function fleet(scene: Scene): string {
  const requests = ROUNDS * scene.rows.length
  const rows = (['Thompson', 'LinTS'] as const).map((algorithm) => {
    const of = (rest: Partial<Play>) =>
      SEEDS.map((seed) => mean(play(scene, { algorithm, seed, requests, ...rest }).map(({ utility }) => utility)))
    const single = of({})
    const kinds = [
      of({ learners: FLEET }),
      ...[200, 1000].map((every) =>
        SEEDS.flatMap((seed) => [
          mean(
            play(scene, { algorithm, seed, requests, learners: FLEET, every, merge: merging(algorithm) }).map(
              ({ utility }) => utility,
            ),
          ),
        ]),
      ),
    ]
    const cells = kinds.map(
      (values) =>
        `${spread(values)} = ${(100 * mean(values.map((value, at) => value / (single[at] ?? 1)))).toFixed(1)} %`,
    )
    return `| ${algorithm} | ${spread(single)} | ${cells.join(' | ')} |`
  })
  return [
    `| ${FLEET} learners, ${requests} requests | one learner | never merged | merged every 200 requests | every 1,000 |`,
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** Merges as operator and sidecars do, without the wire between them. */
function merging(algorithm: Algorithm): (memories: readonly Memory[]) => void {
  const merged = new Merged(formOf(algorithm, HALF_LIFE).gamma)
  return (memories) => {
    for (const { epoch, learner } of memories) merged.put(epoch, learner.share())
    const sum = merged.sum()
    for (const { epoch, learner } of memories) learner.take(sum, merged.seqOf(epoch))
  }
}

function changes(scene: Scene): string {
  const at = scene.rows.length
  const rows = algorithms.map((algorithm) => {
    const left = SEEDS.map((seed) => leaves(scene, algorithm, seed, at))
    const dear = SEEDS.map((seed) => repriced(scene, algorithm, seed, at))
    const shares = (pick: (it: (typeof dear)[number]) => number) => `${(100 * mean(dear.map(pick))).toFixed(0)} %`
    const median = left.toSorted((a, b) => a - b)[2] ?? Number.NaN
    return `| ${algorithm} | ${median} (${Math.min(...left)} … ${Math.max(...left)}) | ${shares((it) => it.before)} → ${shares((it) => it.after)} | ${spread(dear.map((it) => it.utility))} | ${spread(dear.map((it) => it.knowing))} |`
  })
  return [
    `After ${at} requests, the arm that is asked most: its answers become wrong nine times in ten (requests until fewer than one in ten of the next 50 that are not explored go to it; a sidecar alone); or it costs five times as much (its share of the 100 requests before and after; utility of the ${at} requests after, and that of the same learner whose prices were such from the beginning).`,
    '',
    '| a world that changes | requests until a target that degrades is left | share at the new price | utility then | had it been so all along |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The arm that was asked most before `at`. */
function favourite(steps: readonly Step[], at: number): number {
  const counts = ARMS.map((_, arm) => steps.slice(at / 2, at).filter((step) => step.arm === arm).length)
  return counts.indexOf(Math.max(...counts))
}

function leaves(scene: Scene, algorithm: Algorithm, seed: number, at: number): number {
  const arm = favourite(play(scene, { algorithm, seed, requests: at }), at)
  const chance = seeded(seed + 100)
  const quality = (was: number, of: number, time: number) => (of === arm && time >= at && chance() < 0.9 ? 0 : was)
  const after = play(scene, { algorithm, seed, requests: 2 * at, world: { quality } })
    .slice(at)
    .map((step) => step.best && step.arm === arm)
  const gone = after.findIndex((_, i) => after.slice(i, i + 50).filter(Boolean).length < 5)
  return gone < 0 ? Infinity : gone
}

function repriced(scene: Scene, algorithm: Algorithm, seed: number, at: number) {
  const arm = favourite(play(scene, { algorithm, seed, requests: at }), at)
  const dear = ARMS.map((_, index) => (index === arm ? 5 : 1))
  const usual = ARMS.map(() => 1)
  const steps = play(scene, {
    algorithm,
    seed,
    requests: 2 * at,
    world: { prices: (time) => (time < at ? usual : dear) },
  })
  const knowing = play(scene, { algorithm, seed, requests: 2 * at, world: { prices: () => dear } })
  const share = (from: number, to: number) => mean(steps.slice(from, to).map((step) => (step.arm === arm ? 1 : 0)))
  return {
    before: share(at - 100, at),
    after: share(at, at + 100),
    utility: mean(steps.slice(at).map(({ utility }) => utility)),
    knowing: mean(knowing.slice(at).map(({ utility }) => utility)),
  }
}

/** How long one decision takes, its reward included, for prompts of 4 KB. */
function time(scene: Scene): string {
  const long = { ...scene, rows: scene.rows.map((row) => ({ ...row, prompt: row.prompt.repeat(40).slice(0, 4096) })) }
  const rows = algorithms.map((algorithm) => {
    const taken: number[] = []
    let began = 0
    const world = {
      prices: () => {
        began = now()
        return []
      },
      quality: (quality: number) => {
        taken.push(1000 * (now() - began))
        return quality
      },
    }
    play(long, { algorithm, seed: 1, requests: 4000, world })
    const sorted = taken.slice(1000).sort((a, b) => a - b)
    const at = (part: number) => (sorted[Math.floor(part * sorted.length)] ?? 0).toFixed(0)
    return `${algorithm} ${at(0.5)} (${at(0.99)})`
  })
  return `One decision among five, for a prompt of 4 KB, µs, median (99th percentile): ${rows.join(', ')}.`
}

const figure = (value: number): string => value.toFixed(3)
