import { createHash } from 'node:crypto'
import type { CompiledRule, CompiledTarget } from '../../api/compiled.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import type { ExperimentInForce } from '../../core/experiment/in-force.ts'
import { promoted, referenceId } from './rollout.ts'

type Rule = ModelRouteSpec['rules'][number]
type Spec = NonNullable<Rule['experiment']>

/** What an experiment makes of its rule. */
export interface Assigned {
  readonly targets: readonly CompiledTarget[]
  readonly experiment?: NonNullable<CompiledRule['experiment']>
  readonly evidence?: NonNullable<CompiledRule['evidence']>
}

/**
 * Who is assigned to which arm, and what is counted: until it is decided. Where the decision ships, the winner's target is asked first by all
 * requests, and those beside it next. Nobody is assigned while some arm's target does not resolve, or another experiment goes before. Pure;
 * `targets` are the rule's, in its order.
 */
export function assignedTo(
  rule: Rule & { readonly experiment: Spec },
  targets: readonly CompiledTarget[],
  { namespace, uid = '' }: { readonly namespace: string; readonly uid?: string | undefined },
  decided: ExperimentInForce | undefined,
): Assigned {
  const { name, unit, layer, onDecision } = rule.experiment
  const arms = armsOf(rule, targets, namespace)
  const version = experimentVersion(rule.experiment, namespace, uid)
  const of = decided?.version === version ? decided : undefined
  const winner = onDecision === 'Ship' ? arms.find(({ arm }) => arm.name === of?.winner)?.target : undefined
  if (winner) return { targets: promoted(targets, winner) }
  if (of?.waits || arms.some(({ target }) => !target || target.unavailable)) return { targets }
  return {
    targets,
    experiment: {
      name,
      ...(unit ? { unit: unit.header.toLowerCase() } : {}),
      salt: saltOf(rule.experiment),
      ...(layer ? { layer: { ...layer, name: `${namespace}/${layer.name}` } } : {}),
      arms: arms.flatMap(({ arm, target }) =>
        target ? [{ name: arm.name, endpoint: target.endpoint, model: target.model, weight: arm.weight }] : [],
      ),
    },
    ...(of?.over ? {} : { evidence: { version } }),
  }
}

/** Each arm with the target of the rule that it is. */
export function armsOf(
  { experiment, targets: written }: Rule & { readonly experiment: Spec },
  targets: readonly CompiledTarget[],
  namespace: string,
): readonly { readonly arm: Spec['arms'][number]; readonly target: CompiledTarget | undefined }[] {
  const ids = written.map(({ endpoint }) => referenceId(endpoint, namespace))
  return experiment.arms.map((arm) => ({ arm, target: targets[ids.indexOf(referenceId(arm.endpoint, namespace))] }))
}

/** What its evidence is told under: another one where a request may be assigned otherwise, and for a route that is made anew. */
export function experimentVersion(spec: Spec, namespace: string, uid: string): string {
  const { name, unit, layer, arms } = spec
  const parts = arms.map(({ name: arm, endpoint, weight }) => [arm, referenceId(endpoint, namespace), weight])
  const made = JSON.stringify([uid, name, saltOf(spec), unit?.header.toLowerCase(), layer, parts])
  return `experiment.${createHash('sha256').update(made).digest('base64url').slice(0, 16)}`
}

const saltOf = ({ salt, name }: Spec): string => salt ?? name
