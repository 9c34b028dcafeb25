import type { CompiledGate } from '../../api/compiled-gate.ts'
import type { GateSpec } from '../../api/gate.ts'
import { milliseconds } from '../../core/schema.ts'
import type { Resolved } from './references.ts'

type Reference = NonNullable<GateSpec['judge']>['endpoint']

/**
 * The gate of a rule. `refer` resolves a reference and writes down what comes of it, by its path within the rule: what would need one that
 * does not resolve is left out.
 */
export function compileGate(
  { prefix, learned, agreement, judge, ...rest }: GateSpec,
  refer: (reference: Reference, path: string) => Resolved,
): CompiledGate {
  const others = agreement?.with && refer(agreement.with.endpoint, 'gate.agreement.with.endpoint')
  const by = judge && refer(judge.endpoint, 'gate.judge.endpoint')
  return {
    ...rest,
    prefix: { tokens: prefix.tokens, within: milliseconds(prefix.within) },
    ...(learned
      ? {
          learned: {
            artefact: learned.artefact.name,
            ...(learned.threshold === undefined ? {} : { threshold: learned.threshold }),
          },
        }
      : {}),
    ...(agreement && !others?.fault
      ? {
          agreement: {
            samples: agreement.samples,
            ...(others ? { with: { endpoint: others.name, model: others.model } } : {}),
          },
        }
      : {}),
    ...(judge && by && !by.fault
      ? {
          judge: {
            by: { endpoint: by.name, model: by.model },
            percent: judge.percent,
            bar: judge.bar,
            ...(judge.prompt === undefined ? {} : { prompt: judge.prompt }),
          },
        }
      : {}),
  }
}
