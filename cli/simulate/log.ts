import { readLine } from '../../core/decisions/line.ts'
import type { DecisionLine } from '../../core/decisions/line.ts'
import { replayed } from '../../core/decisions/replayed.ts'
import { bootstrap, meanOf } from '../../core/evaluation/bootstrap.ts'
import { offPolicy, onPolicy, proposable } from '../../core/evaluation/off-policy.ts'
import type { Estimate, LoggedDecision, OffPolicy } from '../../core/evaluation/off-policy.ts'
import { seeded } from '../../core/learning/random.ts'
import { TASK_HEADER } from '../../core/signals/caller.ts'
import { columns } from '../output.ts'
import { linesOf } from '../replay.ts'
import type { Setting } from './played.ts'
import type { Row } from './rows.ts'
import { counted, percentiles } from './shares.ts'
import { Stage } from './stage.ts'
import { interval, money, said, share } from './table.ts'

/** What another route would have been worth, by decisions of the one that was in force. */
interface Other {
  readonly name: string
  /** Of the decisions that say enough, those that it would have made otherwise. */
  readonly differing: number
  readonly reward: OffPolicy | undefined
  /** USD for a thousand requests, as expected when it was decided: by the log's choices, and by its own. */
  readonly expected: { readonly logged: number; readonly own: number }
}

/** What a decision log tells. Shares 0…1, money in USD. */
export interface LogFigures {
  readonly decisions: number
  /** Decisions that were made again from their lines, and those of them that came out the same. */
  readonly replayed: number
  readonly exact: number
  readonly answered: number
  readonly cost: Estimate | undefined
  readonly saved: Estimate | undefined
  readonly escalated: number
  readonly ms: { readonly p50: number; readonly p95: number }
  /** Decisions whose answer's quality is known, by feedback or by a gate; and what it is. */
  readonly rewarded: number
  readonly quality: Estimate | undefined
  readonly shares: Readonly<Record<string, number>>
  readonly reasons: Readonly<Record<string, number>>
  /** Decisions that were drawn by chance, with a known quality and their prompt: what others can be told by. */
  readonly usable: number
  readonly others: readonly Other[]
}

/** Reads a log, and asks of the routes of directories what they would have done. Throws `Failure`. */
export async function fromLog(
  log: string,
  directory: string,
  proposed: string | undefined,
  setting: Setting,
): Promise<LogFigures> {
  const { lines, rewards } = await read(log, setting.limit ?? Number.POSITIVE_INFINITY)
  const made = lines.flatMap(({ decision }) => (decision ? [replayed(decision)] : []))
  const good = lines.filter(({ code }) => code === undefined)
  const known = good.flatMap((line) => rewardOf(line, rewards) ?? [])
  const usable = good.filter(
    (line) => line.prompt !== undefined && drawnBy(line) !== undefined && rewardOf(line, rewards) !== undefined,
  )
  const others = [directory, ...(proposed === undefined ? [] : [proposed])]
  const random = { random: seeded(setting.seed), resamples: 1000 }
  const priced = good.filter(({ cost }) => cost !== undefined)
  const compared = priced.filter(({ strongest }) => strongest?.cost !== undefined)
  const costs = Float64Array.from(compared, ({ cost = 0 }) => cost)
  const dear = Float64Array.from(compared, ({ strongest }) => strongest?.cost ?? 0)
  const all = Float64Array.from(priced, ({ cost = 0 }) => cost)
  return {
    decisions: lines.length,
    replayed: made.length,
    exact: made.filter(({ exact }) => exact).length,
    answered: good.length,
    cost:
      priced.length === 0
        ? undefined
        : bootstrap(priced.length, { cost: (weights) => 1000 * meanOf(all, weights) }, random).cost,
    saved:
      compared.length === 0
        ? undefined
        : bootstrap(compared.length, { saved: (weights) => 1 - meanOf(costs, weights) / meanOf(dear, weights) }, random)
            .saved,
    escalated: part(good, ({ gate }) => (gate?.escalations ?? 0) > 0),
    ms: percentiles(good.map(({ ms }) => ms)),
    rewarded: known.length,
    quality: known.length === 0 ? undefined : onPolicy(known),
    shares: counted(good.map(({ endpoint, model }) => (model === '' ? endpoint : `${endpoint} ${model}`))),
    reasons: counted(lines.map(({ reason }) => reason || 'none')),
    usable: usable.length,
    others: usable.length === 0 ? [] : await Promise.all(others.map((it) => otherwise(it, usable, rewards, setting))),
  }
}

async function read(log: string, limit: number) {
  const lines: DecisionLine[] = []
  const rewards = new Map<string, number>()
  for await (const text of linesOf(log)) {
    try {
      const line = readLine(text)
      if (line && lines.length < limit) lines.push(line)
      if (line) continue
      const said: unknown = JSON.parse(text)
      if (isReward(said)) rewards.set(said.id, said.reward)
    } catch {
      // A line that was cut when the file was full, or the machine fell.
    }
  }
  return { lines, rewards }
}

const isReward = (said: unknown): said is { readonly id: string; readonly reward: number } =>
  typeof said === 'object' &&
  said !== null &&
  'msg' in said &&
  said.msg === 'feedback' &&
  'id' in said &&
  typeof said.id === 'string' &&
  'reward' in said &&
  typeof said.reward === 'number'

/** What is said of an answer counts before what a gate found. */
const rewardOf = ({ id, quality }: DecisionLine, rewards: ReadonlyMap<string, number>): number | undefined =>
  rewards.get(id) ?? quality

/** How likely the target was that was asked first; undefined where that was not left to chance, or another was asked after it for a failure. */
function drawnBy({ decision, chosen, attempts, gate }: DecisionLine): number | undefined {
  if (attempts[0]?.target !== chosen || (attempts.length > 1 && !gate)) return undefined
  const { propensity } = decision?.targets.find(({ target }) => target === chosen) ?? {}
  return propensity !== undefined && propensity > 0 ? propensity : undefined
}

async function otherwise(
  directory: string,
  lines: readonly DecisionLine[],
  rewards: ReadonlyMap<string, number>,
  { pod, map, seed }: Setting,
): Promise<Other> {
  const stage = await Stage.of(directory, pod, map, seed)
  try {
    const arms = [...new Set(lines.flatMap(({ decision }) => decision?.targets.map(({ target }) => target) ?? []))]
    const log: LoggedDecision[] = []
    let differing = 0
    const expected = { logged: 0, own: 0 }
    for (const line of lines) {
      const own = await stage.decide(rowOf(line, stage), line.requested)
      if (!own) continue
      const policy = arms.map((arm) => likelihood(own, arm))
      log.push({
        x: Float64Array.of(1),
        arm: arms.indexOf(line.chosen ?? ''),
        reward: rewardOf(line, rewards) ?? 0,
        propensity: drawnBy(line) ?? 1,
        policy,
      })
      if (own.order[0] !== line.chosen) differing++
      const costOf = (arm: string) =>
        own.targets.find(({ target }) => target === arm)?.cost ??
        line.decision?.targets.find(({ target }) => target === arm)?.cost ??
        0
      expected.logged += costOf(line.chosen ?? '')
      expected.own += arms.reduce((sum, arm, at) => sum + (policy[at] ?? 0) * costOf(arm), 0)
    }
    const unit = 1000 / 1e12 / Math.max(1, log.length)
    return {
      name: directory,
      differing,
      reward: log.length === 0 ? undefined : offPolicy(log),
      expected: { logged: expected.logged * unit, own: expected.own * unit },
    }
  } finally {
    stage.close()
  }
}

/** The request of a line, as far as it is written down. */
function rowOf(line: DecisionLine, stage: Stage): Row {
  const tier = stage.tierHeader(line.requested)
  return {
    id: line.id,
    messages: [{ role: 'user', content: line.prompt }],
    model: line.requested,
    headers: {
      ...(line.task === undefined ? {} : { [TASK_HEADER]: line.task }),
      ...(tier !== undefined && line.tier !== undefined ? { [tier]: line.tier } : {}),
    },
    models: new Map(),
  }
}

/** How likely a choice puts a target first: for sure, where it was not left to chance. */
function likelihood({ targets, order }: NonNullable<DecisionLine['decision']>, arm: string): number {
  const drawn = targets.some(({ propensity }) => propensity !== undefined)
  return drawn ? (targets.find(({ target }) => target === arm)?.propensity ?? 0) : order[0] === arm ? 1 : 0
}

/** The figures for the eye. */
export function logTable(told: LogFigures): string {
  const {
    decisions,
    replayed: again,
    exact,
    answered,
    cost,
    saved,
    escalated,
    ms,
    rewarded,
    quality,
    usable,
    others,
  } = told
  return [
    `${decisions} decisions, ${answered} answered well; ${exact} of ${again} made again from their lines are the same.\n`,
    cost ? `Cost ${money(cost.value)} USD/1000 (${money(cost.low)}–${money(cost.high)})` : 'No cost is known',
    saved ? `, ${interval(saved)} less than always the strongest` : '',
    `; escalated ${share(escalated)}; ${Math.round(ms.p50)}/${Math.round(ms.p95)} ms (p50/p95).\n`,
    quality
      ? `Quality ${interval(quality)} of the ${rewarded} answers of which it is known.\n`
      : 'Of no answer is the quality known: there is no feedback in the log, and no gate.\n',
    `Answered by ${said(told.shares)}; because ${said(told.reasons)}.\n\n`,
    usable === 0
      ? 'Other routes cannot be told by this log: that takes decisions that were drawn by chance, with the prompt (spec.decisions.content) and with feedback.\n'
      : columns([
          ['ROUTE', 'DIFFERS', 'SNIPS', 'DOUBLY ROBUST', 'ESS', 'VERDICT', 'USD/1000 EXPECTED'],
          ...others.map(({ name, differing, reward, expected }) => [
            name,
            `${differing} of ${usable}`,
            reward ? interval(reward.snips) : '',
            reward ? interval(reward.dr) : '',
            reward ? reward.effective.toFixed(0) : '',
            verdict(reward, quality, expected),
            `${money(expected.own)} (the log ${money(expected.logged)})`,
          ]),
        ]),
  ].join('')
}

/** Quality that a cheaper route may lose, for sure no more. */
const MARGIN = 0.02

/** Whether the evidence is enough to put a route in the place of what the log is of. */
function verdict(
  reward: OffPolicy | undefined,
  quality: Estimate | undefined,
  { logged, own }: Other['expected'],
): string {
  if (!reward?.enough || !quality) return 'not enough evidence'
  const surely = (value: number): Estimate => ({ value, low: value, high: value })
  return proposable({ reward: quality, cost: surely(logged) }, { reward: reward.dr, cost: surely(own) }, MARGIN)
    ? 'may be proposed'
    : 'no surer than today'
}

const part = <T>(items: readonly T[], is: (item: T) => boolean): number =>
  items.length === 0 ? 0 : items.filter(is).length / items.length
