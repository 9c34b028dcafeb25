import { createHash } from 'node:crypto'
import { costOf } from '../cost.ts'
import { askable } from '../decide/decision.ts'
import type { Exchange, Facts } from '../exchange.ts'
import { judgedOf } from '../gate/judged.ts'
import { normalised } from '../learning/text.ts'
import type { Script } from '../signals/script.ts'
import type { InputKind, Signals } from '../signals/signals.ts'
import type { Rule, Target } from '../target.ts'
import { redacted } from './redact.ts'

/** What a route has written down of its decisions. */
export interface DecisionLog {
  /** How many of a hundred requests. */
  readonly percent: number
  /** Of those that are written down, how many with what was asked and answered; undefined: none. */
  readonly content?: { readonly percent: number; readonly redact: readonly ((text: string) => string)[] } | undefined
}

/** A decision with what came of it. Holds neither the request nor, unless that was to be, any of its words. */
export interface DecisionRecord {
  readonly facts: Facts
  readonly trace: string | undefined
  /** Of the route. */
  readonly generation: number
  /** Empty where the route reads none, as the task is where nobody looked. */
  readonly tier: string
  readonly task: string
  /** Estimated, of the prompt; undefined where that did not count. */
  readonly tokens: number | undefined
  /** 32 hex digits for the text as classifiers read it: equal for equal texts; undefined where there is none. */
  readonly features: string | undefined
  /** What else is known of the request, without any of its words; undefined where nobody looked. */
  readonly asked: AskedFor | undefined
  /** The strongest that could have been asked, and what the same tokens would have cost there, picodollars; cost undefined: not known. */
  readonly strongest: { readonly target: string; readonly cost: number | undefined } | undefined
  /** Of the answer that was given, 0…1, as the gate found it. */
  readonly quality: number | undefined
  readonly content: { readonly prompt: string; readonly answer: string } | undefined
}

/** The signals of a request that say nothing of what it is about. */
export interface AskedFor {
  readonly inputs: readonly InputKind[]
  /** How often the user has spoken. */
  readonly turns: number
  readonly language: Script
  /** 32 hex digits for the system prompt; absent where there is none. */
  readonly system?: string
  readonly tools: number
  readonly jsonSchema: boolean
  /** What the answer may come to; absent where the caller does not say. */
  readonly maxTokens?: number
}

/** Of longer texts so many UTF-16 units are written down. */
const MOST = 16 * 1024

/** The record of an exchange that has ended. `whole`: with what is read of the request for nothing else. */
export function recordOf(exchange: Exchange, trace: string | undefined, whole: boolean): DecisionRecord {
  const { facts, rule } = exchange
  const judged = facts.gate && exchange.target ? judgedOf(facts.gate.answers) : []
  return {
    facts,
    trace,
    generation: rule?.generation ?? 0,
    tier: exchange.signals.tier,
    task: facts.decision?.task ?? '',
    tokens: undefined,
    features: undefined,
    asked: undefined,
    strongest: rule && strongestOf(rule, exchange),
    quality: judged.findLast(({ target }) => target === exchange.target?.id)?.reward,
    content: undefined,
    ...(whole ? readOf(exchange) : {}),
  }
}

/** What of a record is read of the request; nothing of one that cannot be read. */
function readOf(exchange: Exchange): Partial<DecisionRecord> {
  const { signals } = exchange
  try {
    if (!signals.readable) return {}
    return {
      task: signals.task,
      // Counted already where cost was weighed; elsewhere what was used says more, and costs nothing.
      tokens: exchange.facts.decision?.terms ? signals.tokens : undefined,
      features: featuresOf(signals.text),
      asked: askedFor(signals),
      content: exchange.sampled ? contentOf(exchange) : undefined,
    }
  } catch {
    // A body that is no JSON has been refused where it always is.
    return {}
  }
}

function askedFor({ inputs, userTurns, script, systemHash, tools, jsonSchema, maxTokens }: Signals): AskedFor {
  return {
    inputs: [...inputs],
    turns: userTurns,
    language: script,
    ...(systemHash === '' ? {} : { system: systemHash }),
    tools,
    jsonSchema,
    ...(maxTokens === undefined ? {} : { maxTokens }),
  }
}

/** Equal for texts that a classifier cannot tell apart. */
function featuresOf(text: string): string {
  return createHash('sha256').update(normalised(text)).digest('hex').slice(0, 32)
}

/** The conversation and the answer, redacted and cut. */
function contentOf({ signals, ear, rule }: Exchange): DecisionRecord['content'] {
  const own = rule?.log?.content?.redact ?? []
  const said = ear?.said.map(({ text, refusal }) => text || refusal).join('\n') ?? ''
  return {
    prompt: redacted(signals.text, own).slice(0, MOST),
    answer: redacted(said, own).slice(0, MOST),
  }
}

/** The strongest target that could have been asked. */
function strongestOf({ targets }: Rule, { facts }: Exchange): DecisionRecord['strongest'] {
  const { decision } = facts
  const able = targets.filter(
    ({ id, weight }) =>
      weight > 0 && (decision?.targets.every((it) => it.target !== id || (askable(it) && !small(it))) ?? true),
  )
  const strongest = able.reduce<Target | undefined>((most, it) => (most && most.rank >= it.rank ? most : it), undefined)
  if (!strongest) return undefined
  const { model } = strongest
  const price = facts.usage && model.pricing(model.name === '*' ? facts.requestedModel : model.name, facts.wall)
  return { target: strongest.id, cost: facts.usage && price && costOf(facts.usage, price) }
}

const small = ({ out }: { readonly out?: { readonly code: string } }): boolean => out?.code === 'context_window'
