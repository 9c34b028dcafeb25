import { totalCost, usd } from '../cost.ts'
import type { Decision } from '../decide/decision.ts'
import type { ErrorCode } from '../errors.ts'
import type { Why } from '../exchange.ts'
import type { FaultType } from '../faults/fault.ts'
import type { GateFacts } from '../gate/facts.ts'
import type { AskedFor, DecisionRecord } from './record.ts'

/** A line of the decision log, as it is read back. Money in USD, times in ms. */
export interface DecisionLine {
  readonly time: number
  readonly msg: 'decision'
  /** `x-request-id`. */
  readonly id: string
  readonly trace?: string
  readonly route: string
  readonly rule: string
  readonly generation: number
  readonly requested: string
  readonly tier?: string
  readonly task?: string
  readonly tokens?: number
  readonly features?: string
  readonly asked?: AskedFor
  readonly reason: string
  /** The candidate that it was drawn to be sent to as well. */
  readonly mirror?: string
  /** The experiment and the arm that it belongs to, `experiment/arm`. */
  readonly experiment?: string
  /** All that the choice followed from; absent where none was made. */
  readonly decision?: Decision
  /** The target that was to be asked first. */
  readonly chosen?: string
  /** The endpoint and the model that answered, or were asked last. */
  readonly endpoint: string
  readonly model: string
  readonly status: number
  readonly code?: ErrorCode
  readonly ms: number
  readonly attempts: readonly {
    /** `namespace/name model`. */
    readonly target: string
    readonly why: Why
    readonly code?: ErrorCode
    /** What was done to the call on purpose. */
    readonly injected?: readonly FaultType[]
    readonly ms: number
    readonly input?: number
    readonly output?: number
    readonly cost?: number
  }[]
  readonly gate?: GateFacts
  readonly cost?: number
  /** What asking the strongest that could be asked would have cost; and what was saved by that. */
  readonly strongest?: { readonly target: string; readonly cost?: number }
  readonly saved?: number
  readonly quality?: number
  readonly prompt?: string
  readonly answer?: string
}

/** The JSON of a decision, on one line. */
export function decisionLine(record: DecisionRecord): string {
  const { facts, trace, generation, tier, task, tokens, features, asked, strongest, quality, content } = record
  const { decision, attempts } = facts
  const cost = totalCost(attempts)
  let line = `{"time":${facts.wall},"msg":"decision","id":${quote(facts.requestId)}`
  if (trace !== undefined) line += `,"trace":"${trace}"`
  line += `,"route":${quote(facts.route)},"rule":${quote(facts.rule)},"generation":${generation}`
  line += `,"requested":${quote(facts.requestedModel)}`
  if (tier !== '') line += `,"tier":${quote(tier)}`
  if (task !== '') line += `,"task":${quote(task)}`
  if (tokens !== undefined) line += `,"tokens":${tokens}`
  if (features !== undefined) line += `,"features":"${features}"`
  if (asked) line += `,"asked":${JSON.stringify(asked)}`
  line += `,"reason":"${facts.reason}"`
  if (facts.mirror !== undefined) line += `,"mirror":${quote(facts.mirror)}`
  if (facts.experiment !== undefined) line += `,"experiment":"${facts.experiment}"`
  if (decision) line += `,"decision":${JSON.stringify(decision)}`
  const chosen = decision?.order[0]
  if (chosen !== undefined) line += `,"chosen":${quote(chosen)}`
  line += `,"endpoint":${quote(facts.endpoint)},"model":${quote(facts.model)},"status":${facts.status}`
  if (facts.code !== undefined) line += `,"code":"${facts.code}"`
  line += `,"ms":${round(facts.ended - facts.started)},"attempts":[`
  for (const [index, attempt] of attempts.entries()) {
    const { endpoint, model, why, code, injected, started, ended, usage, cost: own } = attempt
    line += `${index > 0 ? ',' : ''}{"target":${quote(model === '' ? endpoint : `${endpoint} ${model}`)},"why":"${why}"`
    if (code !== undefined) line += `,"code":"${code}"`
    if (injected) line += `,"injected":${JSON.stringify(injected)}`
    line += `,"ms":${round(ended - started)}`
    if (usage) line += `,"input":${usage.input},"output":${usage.output}`
    if (own !== undefined) line += `,"cost":${usd(own)}`
    line += '}'
  }
  line += ']'
  if (facts.gate) line += `,"gate":${JSON.stringify(facts.gate)}`
  if (cost !== undefined) line += `,"cost":${usd(cost)}`
  if (strongest) {
    line += `,"strongest":{"target":${quote(strongest.target)}`
    if (strongest.cost !== undefined) line += `,"cost":${usd(strongest.cost)}`
    line += '}'
    if (strongest.cost !== undefined && cost !== undefined) line += `,"saved":${signed(strongest.cost - cost)}`
  }
  if (quality !== undefined) line += `,"quality":${quality}`
  if (content) line += `,"prompt":${JSON.stringify(content.prompt)},"answer":${JSON.stringify(content.answer)}`
  return `${line}}`
}

/** A line of a decision log; undefined for a line of something else. Throws `SyntaxError` where it is no JSON. */
export function readLine(text: string): DecisionLine | undefined {
  const read: unknown = JSON.parse(text)
  const is = typeof read === 'object' && read !== null && 'msg' in read && read.msg === 'decision'
  return is ? (read as DecisionLine) : undefined // as `decisionLine` wrote it
}

const PLAIN = /^[ !#-[\]-~]*$/
const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))
const round = (ms: number): number => Math.max(0, Math.round(ms * 1000) / 1000)
const signed = (picodollars: number): string => (picodollars < 0 ? `-${usd(-picodollars)}` : usd(picodollars))
