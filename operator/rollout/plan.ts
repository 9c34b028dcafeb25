import type { CompiledRule } from '../../api/compiled.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import { armOf } from '../../core/evidence/arm.ts'
import type { Plan } from '../../core/rollout/plan.ts'
import { milliseconds } from '../../core/schema.ts'
import { referenceId } from '../compile/rollout.ts'

type Rule = ModelRouteSpec['rules'][number]

/** What a rule's rollout comes to, and what its arms are called in evidence. */
export interface Planned {
  readonly rule: string
  readonly plan: Plan
  /** The canary's arm, and those of the targets that it is compared with. */
  readonly canary: string
  readonly stable: readonly string[]
  /** The canary as statuses name targets, `endpoint` or `endpoint/model`. */
  readonly called: string
  /** Why the canary gets no request: it does not resolve. */
  readonly fault: string | undefined
  /** The rule's targets as `endpoint model`, for their breakers. */
  readonly targets: readonly { readonly endpoint: string; readonly model: string; readonly canary: boolean }[]
}

/** How a rollout goes up, and what it takes to hold: all of its plan that the manifest says by itself. */
export function courseOf(
  rollout: NonNullable<Rule['rollout']>,
): Pick<Plan, 'steps' | 'guardrails' | 'alpha' | 'maxDuration' | 'cooldown'> {
  const shares = rollout.guardrails.reduce((total, { share }) => total + share, 0)
  return {
    steps: rollout.steps.map(({ weight, dwell, samples, manual }) => ({
      weight,
      dwell: milliseconds(dwell ?? rollout.dwell),
      samples: samples ?? rollout.samples,
      manual,
    })),
    guardrails: rollout.guardrails.map(({ metric, margin, share }) => ({
      metric,
      margin: Number(margin),
      share: share / shares,
    })),
    alpha: Number(rollout.alpha),
    maxDuration: milliseconds(rollout.maxDuration),
    cooldown: milliseconds(rollout.cooldown),
  }
}

/** Reads the rollout of a rule; undefined where it has none. `compiled`: the same rule, compiled. */
export function planOf(rule: Rule, compiled: CompiledRule, namespace: string): Planned | undefined {
  const { rollout } = rule
  if (!rollout) return undefined
  const id = referenceId(rollout.canary, namespace)
  const at = rule.targets.findIndex(({ endpoint }) => referenceId(endpoint, namespace) === id)
  const [spec, target] = [rule.targets[at], compiled.targets[at]]
  if (!spec || !target) return undefined // the schema's rules have it one of them
  const beside = rule.targets.flatMap((other, i) => {
    const found = compiled.targets[i]
    return i !== at && other.priority === spec.priority && found ? [{ weight: other.weight, found }] : []
  })
  const sum = beside.reduce((total, { weight }) => total + weight, 0)
  return {
    rule: compiled.name,
    plan: {
      canary: id,
      ownWeight: spec.weight,
      ownShare: (100 * spec.weight) / (spec.weight + sum || 1),
      ...courseOf(rollout),
      oneByOne: rule.sticky === undefined,
    },
    canary: armOf(target),
    stable: beside.map(({ found }) => armOf(found)),
    called: called(target.endpoint, target.model, namespace),
    fault: target.unavailable?.message,
    targets: [{ target, canary: true }, ...beside.map(({ found }) => ({ target: found, canary: false }))].map(
      ({ target: { endpoint, model }, canary }) => ({ endpoint, model, canary }),
    ),
  }
}

function called(endpoint: string, model: string, namespace: string): string {
  const name = endpoint.startsWith(`${namespace}/`) ? endpoint.slice(namespace.length + 1) : endpoint
  return model === '' ? name : `${name}/${model}`
}
