import type { CompiledGate } from '../api/compiled-gate.ts'
import type { Gate } from '../core/gate/config.ts'
import type { CheckConfig } from '../core/gate/checks/index.ts'
import { learned } from '../core/gate/learned.ts'
import type { Loaded } from '../core/strategies/strategy.ts'
import type { Target } from '../core/target.ts'
import { patternOf } from './matches.ts'

/** The target that a gate asks besides those of the rule; `at` is its place, for what is refused. Throws `Refused`. */
type Aside = (named: { readonly endpoint: string; readonly model: string }, at: string) => Target

/** What is around a gate. */
interface Around {
  readonly aside: Aside
  /** A trained artefact by its name. */
  readonly artefact: (name: string) => Loaded
}

/** What a gate becomes on the request path. Throws `Refused`. */
export function gateOf(gate: CompiledGate, at: string, { aside, artefact }: Around): Gate {
  const { mode, prefix, checks, logProbs, learned: trained, agreement, judge, maxEscalations, budget } = gate
  return {
    mode,
    prefix,
    checks: checks.map((check, index) => checkOf(check, `${at}/checks/${index}`)),
    logprobs: logProbs && { least: number(logProbs.minimum), mean: number(logProbs.mean) },
    learned: trained && learned(artefact(trained.artefact), number(trained.threshold)),
    agreement: agreement && {
      samples: agreement.samples,
      by: agreement.with && aside(agreement.with, `${at}/agreement/with`),
    },
    judge: judge && { ...judge, prompt: judge.prompt, by: aside(judge.by, `${at}/judge/by`) },
    maxEscalations,
    budget: budget && {
      most: budget.request === undefined ? undefined : Math.round(Number(budget.request) * 1e12),
      multiple: budget.multiple,
    },
  }
}

/** The endpoints that a gate asks besides those of the rule, `namespace/name`. */
export const askedBesides = ({ agreement, judge }: CompiledGate): readonly string[] =>
  [agreement?.with, judge?.by].flatMap((named) => (named ? [named.endpoint] : []))

function checkOf({ type, refusal, citations, pattern }: CompiledGate['checks'][number], at: string): CheckConfig {
  const test = (source: string, place: string, ignoreCase = false) => patternOf(source, ignoreCase, `${at}/${place}`)
  return {
    type,
    citations,
    refusal: refusal && { patterns: refusal.patterns.map((source, i) => test(source, `refusal/patterns/${i}`, true)) },
    pattern: pattern && {
      must: pattern.must === undefined ? undefined : test(pattern.must, 'pattern/must'),
      mustNot: pattern.mustNot === undefined ? undefined : test(pattern.mustNot, 'pattern/mustNot'),
    },
  }
}

const number = (decimal: string | undefined): number | undefined =>
  decimal === undefined ? undefined : Number(decimal)
