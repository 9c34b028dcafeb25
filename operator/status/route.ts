import type { CompiledRule, CompiledTarget } from '../../api/compiled.ts'
import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import type { ModelRouteStatus } from '../../api/model-route.ts'
import { keyOf } from '../compile/resource.ts'
import type { RouteResult, Unresolved } from '../compile/route.ts'
import { strategy } from '../../core/strategies/index.ts'
import { withheld } from '../compile/skew.ts'
import type { Untimed } from '../settle.ts'
import { accepted } from './accepted.ts'
import { faultsInjected } from './faults.ts'
import { mirrorStatusOf } from './mirrors.ts'
import { promisesKept } from './promises.ts'
import { programmed, some } from './programmed.ts'
import type { Reach, View } from './view.ts'

/** A status whose conditions do not say yet since when they hold. */
export type RouteStatus = Omit<ModelRouteStatus, 'conditions'> & { readonly conditions: readonly Untimed[] }

/** How a route stands: what holds of it, and which sidecars serve it. */
export function routeStanding(
  view: View,
  route: RouteResult,
): Pick<RouteStatus, 'conditions'> & Required<Pick<RouteStatus, 'sidecars'>> {
  const { name, namespace, generation } = route
  const reach = view.reach(keyOf('route', name), [namespace], (audience) => audience.routes.has(name))
  const conditions = [
    accepted(view, `ModelRoute ${name}`, generation, conflict(view, route)),
    resolvedRefs(route),
    ...partiallyInvalid(route),
    tooOld(route, reach) ?? programmed(reach, generation, 'is selected'),
    ...promisesKept(view.promises(name), generation),
    ...faultsInjected(route, reach, view.wall),
  ]
  const { targeted, connected, acknowledged, refusals } = reach
  return { conditions, sidecars: { targeted, connected, acknowledged, rejected: refusals.length } }
}

/** The status of a route, as the compile and the fleet have it. */
export function routeStatus(view: View, route: RouteResult): RouteStatus {
  const { name, namespace, body } = route
  const standing = routeStanding(view, route)
  const mirrors = body.rules.flatMap(
    (rule) => mirrorStatusOf(name, rule, view.totals, (endpoint) => short(endpoint, namespace)) ?? [],
  )
  return {
    ...standing,
    programmed: `${standing.sidecars.acknowledged}/${standing.sidecars.targeted}`,
    split: split(body.rules.at(-1), namespace),
    rules: body.rules.map((rule) => ({
      name: rule.name,
      targets: rule.targets.map(({ endpoint, model, weight, priority }) => ({
        endpoint: short(endpoint, namespace),
        ...(model === '' ? {} : { model }),
        weight,
        priority,
        requests: view.requests(name, rule.name, endpoint, model),
      })),
    })),
    ...(mirrors.length > 0 ? { mirrors } : {}),
  }
}

function conflict(view: View, route: RouteResult): { reason: string; message: string } | undefined {
  const losses = view.compiled.conflicts.of(route)
  if (losses.length === 0) return undefined
  const lost = losses.map(
    ({ model, winner, pods, of }) => `Model ${model} goes to ModelRoute ${winner} on ${pods} of ${of} pods.`,
  )
  const rest =
    'Give it another name in spec.models, or other pods in spec.workloads; what it does not lose is in force.'
  return { reason: REASONS.conflicted, message: [...lost.slice(0, 5), rest].join(' ') }
}

function resolvedRefs({ unresolved, generation }: RouteResult): Untimed {
  const [first] = unresolved
  const type = CONDITIONS.resolvedRefs
  if (!first) {
    const message = 'All that the route refers to is there.'
    return { type, status: 'True', reason: REASONS.resolvedRefs, message, observedGeneration: generation }
  }
  const message = listed(unresolved.map(({ path, message }) => `${path}: ${message}`))
  return { type, status: 'False', reason: first.reason, message, observedGeneration: generation }
}

/** Only there where a part of the route is in force and a part is not. */
function partiallyInvalid({ unresolved, disallowed, body, generation }: RouteResult): Untimed[] {
  const parts = [...unresolved, ...disallowed]
  const [first] = parts
  const targets = body.rules.flatMap((rule) => rule.targets)
  if (!first || parts.filter(isTarget).length === targets.length) return []
  const message = listed([
    ...unresolved.map((part) => consequence(part, body.rules)),
    ...disallowed.map(({ path, message }) => `${path}: ${message}`),
  ])
  return [
    {
      type: CONDITIONS.partiallyInvalid,
      status: 'True',
      reason: first.reason,
      message: `Not in force: ${message}`,
      observedGeneration: generation,
    },
  ]
}

/** Whether it is one of those that answer; the others are what a rule decides by, or asks besides. */
const isTarget = ({ path }: Unresolved): boolean => /\.targets\[\d+\]\.endpoint$/.test(path)

function consequence(unresolved: Unresolved, rules: readonly CompiledRule[]): string {
  const { path, rule: name } = unresolved
  const rule = rules.find((it) => it.name === name)
  const where = `${path.replace(/\.endpoint$/, '')} of rule ${name}`
  if (!isTarget(unresolved)) return `${where}; the rule does without it.`
  if (rule?.targets.every(({ unavailable }) => unavailable))
    return `${where}; no target of it is left, its requests fail.`
  return rule?.onUnavailable === 'Fail'
    ? `${where}; its share of the requests fails (onUnavailable: Fail).`
    : `${where}; the other targets of the rule take its share.`
}

/** Sidecars that do not know what some rules ask for are not given those rules. */
function tooOld(route: RouteResult, reach: Reach): Untimed | undefined {
  const pods: string[] = []
  const rules = new Set<string>()
  let count = 0
  for (const [group, members] of reach.groups) {
    const names = withheld(route, group.lacks)
    if (names.length === 0) continue
    count += members
    pods.push(...group.pods)
    for (const name of names) rules.add(name)
  }
  if (count === 0) return undefined
  const message = `${count} of ${reach.connected} connected sidecars are too old for ${rules.size === 1 ? 'rule' : 'rules'} ${[...rules].join(', ')} and go without: ${some(pods)}. Restart these pods to have them updated.`
  return {
    type: CONDITIONS.programmed,
    status: 'False',
    reason: REASONS.sidecarTooOld,
    message,
    observedGeneration: route.generation,
  }
}

/** The shares of a rule's first priority, for the eye: `90% openai · 10% anthropic`. */
export function split(rule: CompiledRule | undefined, namespace: string): string {
  if (!rule) return ''
  const priority = Math.min(...rule.targets.map((target) => target.priority))
  const targets = rule.targets.filter((target) => target.priority === priority && target.weight > 0)
  const some = rule.onUnavailable === 'Redistribute' ? targets.filter((target) => !target.unavailable) : targets
  const { picks } = strategy(rule.strategy.type)
  const total = some.reduce((sum, { weight }) => sum + weight, 0)
  const parts = some.map((target) => {
    const called = label(target, rule.targets, namespace)
    if (picks !== undefined) return called
    return `${Number(((100 * target.weight) / total).toFixed(1))}% ${called}${target.unavailable ? ' (unavailable)' : ''}`
  })
  const text = `${picks !== undefined && parts.length > 1 ? `${picks} of ` : ''}${parts.join(' · ')}`
  return (text || 'none').slice(0, 1024)
}

/** The endpoint's name, and its model where that is needed to tell two targets apart. */
function label({ endpoint, model }: CompiledTarget, all: readonly CompiledTarget[], namespace: string): string {
  const name = short(endpoint, namespace)
  return all.filter((other) => other.endpoint === endpoint).length > 1 && model !== '' ? `${name}/${model}` : name
}

const short = (endpoint: string, namespace: string) =>
  endpoint.startsWith(`${namespace}/`) ? endpoint.slice(namespace.length + 1) : endpoint

function listed(parts: readonly string[]): string {
  const shown = parts.slice(0, 5).join(' ')
  return parts.length > 5 ? `${shown} And ${parts.length - 5} more.` : shown
}
