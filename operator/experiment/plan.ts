import type { ExperimentSpec } from '../../api/experiment.ts'
import type { CompiledTarget } from '../../api/compiled.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { fullName } from '../../api/resource.ts'
import type { Design } from '../../core/experiment/decision.ts'
import { MEASURES } from '../../core/experiment/metric.ts'
import { milliseconds } from '../../core/schema.ts'
import { armsOf, experimentVersion } from '../compile/experiment.ts'
import type { RouteResult } from '../compile/route.ts'

/** The experiment of a rule, read. */
export interface Planned {
  readonly rule: string
  readonly name: string
  readonly version: string
  readonly design: Design
  /** The part of a layer that it has, `namespace/name`; undefined: it is in none. */
  readonly layer: { readonly name: string; readonly from: number; readonly to: number } | undefined
  /** Once it is decided nobody is assigned to arms any more. */
  readonly ships: boolean
  /** By arm, as statuses name targets, `endpoint` or `endpoint/model`. */
  readonly targets: ReadonlyMap<string, string>
  /** Why the target of some arm gets no request: it does not resolve. */
  readonly fault: string | undefined
}

/** The experiments of a route; `compiled` is the same route, compiled. */
export function plansOf({ metadata, spec }: ModelRoute, { body }: Pick<RouteResult, 'body'>): readonly Planned[] {
  const { namespace, uid = '' } = metadata
  return spec.rules.flatMap((rule, i): readonly Planned[] => {
    const { experiment } = rule
    const compiled = body.rules[i]
    if (!experiment || !compiled) return []
    const arms = armsOf({ ...rule, experiment }, compiled.targets, namespace)
    const { name, layer } = experiment
    return [
      {
        rule: compiled.name,
        name,
        version: experimentVersion(experiment, namespace, uid),
        design: designOf(experiment),
        layer: layer && { ...layer, name: `${namespace}/${layer.name}` },
        ships: experiment.onDecision === 'Ship',
        targets: new Map(arms.map(({ arm, target }) => [arm.name, target ? called(target, namespace) : ''])),
        fault: arms.map(({ target }) => target?.unavailable?.message).find((message) => message !== undefined),
      },
    ]
  })
}

/** What the manifest's experiment is to find out. */
export function designOf(spec: ExperimentSpec): Design {
  const { arms, control, metrics, alpha, unit, samples, maxDuration } = spec
  return {
    arms: arms.map(({ name, weight }) => ({ name, weight })),
    control: control ?? arms[0]?.name ?? '',
    metrics: metrics.map(({ metric, primary, direction, minimumEffect }) => ({
      metric,
      primary,
      direction: direction ?? MEASURES[metric].better,
      minimumEffect: minimumEffect === undefined ? MEASURES[metric].minimumEffect : Number(minimumEffect),
    })),
    alpha: Number(alpha),
    oneByOne: unit === undefined,
    samples,
    maxDuration: milliseconds(maxDuration),
  }
}

/** An experiment's place among all: the older route goes first, and the earlier rule. */
interface Placed {
  readonly route: ModelRoute
  readonly at: number
  readonly planned: Planned
}

/**
 * Those that have to wait for another, since their parts of a layer overlap; by `namespace/name rule`, with the one that goes before. That is
 * the one of the older route, by name where both are as old.
 */
export function overlaps(
  all: readonly { readonly route: ModelRoute; readonly plans: readonly Planned[] }[],
): ReadonlyMap<string, string> {
  const placed = all
    .flatMap(({ route, plans }) => plans.map((planned, at): Placed => ({ route, at, planned })))
    .filter(({ planned }) => planned.layer)
    .toSorted(before)
  const waiting = new Map<string, string>()
  const going: Placed[] = []
  for (const next of placed) {
    const other = going.find(({ planned: { layer } }) => layer && shares(layer, next.planned.layer))
    if (other) waiting.set(placeOf(next), placeOf(other))
    else going.push(next)
  }
  return waiting
}

function before(a: Placed, b: Placed): number {
  const [first, second] = [a, b].map(({ route: { metadata } }) => [
    metadata.creationTimestamp ?? '',
    fullName(metadata),
  ])
  for (const i of [0, 1]) if (first?.[i] !== second?.[i]) return (first?.[i] ?? '') < (second?.[i] ?? '') ? -1 : 1
  return a.at - b.at
}

const placeOf = ({ route, planned }: Placed): string => `${fullName(route.metadata)} ${planned.rule}`

const shares = (a: NonNullable<Planned['layer']>, b: Planned['layer']): boolean =>
  b !== undefined && a.name === b.name && a.from < b.to && b.from < a.to

function called({ endpoint, model }: CompiledTarget, namespace: string): string {
  const name = endpoint.startsWith(`${namespace}/`) ? endpoint.slice(namespace.length + 1) : endpoint
  return model === '' ? name : `${name}/${model}`
}
