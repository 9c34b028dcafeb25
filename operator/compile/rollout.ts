import type { CompiledRule, CompiledTarget } from '../../api/compiled.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import type { InForce } from '../../core/rollout/in-force.ts'

type Rule = ModelRouteSpec['rules'][number]
type Reference = Rule['targets'][number]['endpoint']

/** What a reference says, whether or not it resolves: `namespace/name`, and ` model` where it names one. */
export const referenceId = ({ name, namespace, model }: Reference, own: string): string =>
  `${namespace ?? own}/${name}${model === undefined ? '' : ` ${model}`}`

/** A rule's targets as its rollout shares them out, and what else that brings. */
export interface Shared {
  readonly targets: readonly CompiledTarget[]
  readonly evidence?: NonNullable<CompiledRule['evidence']>
  /** The cohort: who is given the canary whatever its share. */
  readonly adjust: NonNullable<CompiledRule['adjust']>
  /** What of the rollout this is: undefined while nothing was decided about this canary. */
  readonly inForce: InForce | undefined
}

/**
 * Puts the weights in force in the place of the manifest's: the canary has its share of its priority, the others have the rest in their
 * own proportions. While nothing is decided, and after a rollback, the canary has weight 0. With all of it, the others are asked next where
 * it fails, before what comes later. Pure; `targets` are the rule's, in its order.
 */
export function sharedOut(
  rule: Rule & { readonly rollout: NonNullable<Rule['rollout']> },
  targets: readonly CompiledTarget[],
  namespace: string,
  decided: InForce | undefined,
): Shared {
  const id = referenceId(rule.rollout.canary, namespace)
  const at = rule.targets.findIndex(({ endpoint }) => referenceId(endpoint, namespace) === id)
  const canary = targets[at]
  if (!canary) return { targets, adjust: [], inForce: undefined } // the schema's rules have it one of them
  const inForce = decided?.canary === id ? decided : undefined
  const weight = inForce ? inForce.weight : 0
  const going = weight === undefined || weight > 0
  return {
    targets: weight === undefined ? targets : weighed(targets, canary, weight),
    ...(inForce?.gathers ? { evidence: { version: inForce.version } } : {}),
    adjust: going && weight !== 100 ? cohortOf(rule.rollout, canary) : [],
    inForce,
  }
}

function cohortOf({ cohort }: NonNullable<Rule['rollout']>, { endpoint, model }: CompiledTarget): Shared['adjust'] {
  return (cohort?.headers ?? []).map(({ name, value }) => ({
    when: { headers: [{ name: name.toLowerCase(), type: 'Exact' as const, value }] },
    pin: { endpoint, ...(model === '' ? {} : { model }) },
  }))
}

/** `percent`: of the canary, 0…100. */
function weighed(targets: readonly CompiledTarget[], canary: CompiledTarget, percent: number): CompiledTarget[] {
  const { priority } = canary
  if (percent === 100) return promoted(targets, canary)
  if (percent === 0) return targets.map((target) => (target === canary ? { ...target, weight: 0 } : target))
  const beside = targets.filter((target) => target !== canary && target.priority === priority)
  const sum = beside.reduce((total, { weight }) => total + weight, 0)
  const raw = new Map(beside.map((target) => [target, target.weight * (100 - percent)]))
  raw.set(canary, sum * percent)
  const scale = scaleOf([...raw.values()])
  return targets.map((target) => {
    const weight = raw.get(target)
    return weight === undefined
      ? target
      : { ...target, weight: weight === 0 ? 0 : Math.max(1, Math.round(weight * scale)) }
  })
}

/** One of the targets alone; those beside it come next, and what comes later after them. */
export function promoted(targets: readonly CompiledTarget[], canary: CompiledTarget): CompiledTarget[] {
  const moved = targets.map((target) =>
    target === canary
      ? { ...target, weight: Math.max(1, target.weight) }
      : { ...target, priority: target.priority < canary.priority ? target.priority : target.priority + 1 },
  )
  const order = [...new Set(moved.map(({ priority }) => priority))].sort((a, b) => a - b)
  // Sixteen targets have sixteen priorities at most: numbered anew they stay within the bound.
  if ((order.at(-1) ?? 0) <= MOST_PRIORITY) return moved
  return moved.map((target) => ({ ...target, priority: order.indexOf(target.priority) }))
}

const MOST_PRIORITY = 15
const MOST = 1_000_000

/** What makes weights as small as they can be with the same ratios, and small enough. */
function scaleOf(weights: readonly number[]): number {
  const divisor = weights.reduce(gcd, 0)
  const largest = Math.max(...weights) / (divisor || 1)
  return (largest > MOST ? MOST / largest : 1) / (divisor || 1)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
