import type { EndpointRow, Rate, RouteDetail, RouteRow, RuleDetail, SidecarRow } from '../../api/board.ts'
import type { CompiledRule } from '../../api/compiled.ts'
import type { EndpointResult } from '../compile/endpoint.ts'
import type { Compiled } from '../compile/index.ts'
import { keyOf } from '../compile/resource.ts'
import type { RouteResult } from '../compile/route.ts'
import type { Fleet, ObservedTarget } from '../fleet.ts'
import { statuses } from '../statuses.ts'
import { accepted } from '../status/accepted.ts'
import { endpointStatus } from '../status/endpoint.ts'
import type { EndpointStatus } from '../status/endpoint.ts'
import type { Totals } from '../status/mirrors.ts'
import { routeStanding } from '../status/route.ts'
import type { RouteStatus } from '../status/route.ts'
import { View } from '../status/view.ts'
import { rateOf } from './rates.ts'
import { problemOf, routeRow, sharesOf } from './routes.ts'
import { isCurrent, sidecarRows } from './sidecars.ts'

/** The lists of the dashboard, whole. */
export interface Board {
  readonly routeRows: readonly RouteRow[]
  readonly endpointRows: readonly EndpointRow[]
  readonly sidecarRows: readonly SidecarRow[]
}

/** So many routes are named that use an endpoint, and so many sidecars that are behind with a route. */
const USERS = 8
const BEHIND = 50

/** Makes the lists of the dashboard from the compile and from what the sidecars have said: rows that stay short however many there are. */
export function board(compiled: Compiled, fleet: Fleet): Board {
  const byRoute = Map.groupBy(fleet.targets, ({ route }) => route)
  const byEndpoint = Map.groupBy(fleet.targets, ({ endpoint }) => endpoint)
  const view = new View(compiled, fleet, Date.now(), () => undefined)
  const routeRows = [...compiled.routes.values()].map((route) =>
    routeRow(route, routeStanding(view, route), byRoute.get(route.name) ?? []),
  )
  const endpointRows = [...compiled.endpoints.values()].map((endpoint) =>
    endpointRow(compiled, endpoint, endpointStatus(view, endpoint), byEndpoint.get(endpoint.name) ?? []),
  )
  for (const [id, { generation }] of compiled.invalid) {
    const [kind, name = ''] = id.split(' ')
    const broken = { name, generation, rate: NOTHING, problem: problemOf([accepted(view, id, 0, undefined)]) }
    if (kind === 'ModelRoute') {
      if (!compiled.routes.has(name)) routeRows.push({ ...NO_ROUTE, ...broken })
    } else if (!compiled.endpoints.has(name)) endpointRows.push({ ...NO_ENDPOINT, ...broken })
  }
  return { routeRows, endpointRows, sidecarRows: sidecarRows(compiled, fleet) }
}

/** More of one route; undefined where there is none that parses. `totals`: what the sidecars have counted. */
export function routeDetail(compiled: Compiled, fleet: Fleet, name: string, totals: Totals): RouteDetail | undefined {
  const route = compiled.routes.get(name)
  const id = `ModelRoute ${name}`
  const found = statuses(compiled, fleet, [id], undefined, totals).get(id)
  if (!route || !found) return undefined
  const status = found.status as Partial<RouteStatus> & Pick<RouteStatus, 'conditions'> // of a route
  const observed = fleet.targets.filter((it) => it.route === name)
  return {
    ...routeRow(route, status, observed),
    conditions: status.conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    rules: route.body.rules.map((rule) => ruleDetail(rule, route.namespace, observed)),
    mirrors: status.mirrors ?? [],
    behind: behind(compiled, fleet, route),
  }
}

const NOTHING: Rate = { requests: 0, errors: null, p50: null, p95: null, cost: null }

/** What is known of objects whose manifest does not parse, besides what is wrong. */
const NO_ROUTE = {
  models: [],
  sidecars: { targeted: 0, connected: 0, acknowledged: 0, rejected: 0 },
  split: [],
  history: [],
} as const
const NO_ENDPOINT = {
  provider: '',
  url: '',
  sidecars: { using: 0, healthy: 0, open: 0 },
  models: [],
  users: 0,
  usedBy: [],
} as const

function endpointRow(
  compiled: Compiled,
  { name, generation, referred, resources }: EndpointResult,
  { sidecars, models = [], conditions }: EndpointStatus,
  observed: readonly ObservedTarget[],
): EndpointRow {
  const users = compiled.users(name)
  const body = resources.get(keyOf('endpoint', name))?.body
  return {
    name,
    generation,
    provider: referred.provider,
    url: body && 'url' in body ? body.url : '',
    sidecars: { using: sidecars?.using ?? 0, healthy: sidecars?.healthy ?? 0, open: sidecars?.open ?? 0 },
    models: models.map(({ name, healthy, open, scarce = 0 }) => ({ name, healthy, open, scarce })),
    users: users.length,
    usedBy: users.toSorted().slice(0, USERS),
    rate: rateOf(observed),
    problem: problemOf(conditions),
  }
}

function ruleDetail(rule: CompiledRule, namespace: string, observed: readonly ObservedTarget[]): RuleDetail {
  const mine = observed.filter((it) => it.rule === rule.name)
  return {
    name: rule.name,
    strategy: rule.strategy.type,
    sticky: rule.sticky?.header ?? null,
    matchesAll: rule.matches.length === 0,
    features: FEATURES.filter((feature) => Object.hasOwn(rule, feature)),
    targets: sharesOf(rule, namespace, observed).map(([{ endpoint, model, weight, priority, unavailable }, share]) => ({
      ...share,
      endpoint,
      model,
      weight,
      priority,
      unavailable: unavailable !== undefined,
      rate: rateOf(mine.filter((it) => it.endpoint === endpoint && it.model === model)),
    })),
  }
}

/** The members of a rule that are worth a word. */
const FEATURES = ['gate', 'hedge', 'audit', 'speculate', 'adjust', 'rollout', 'experiment', 'mirror', 'faults'] as const

/** Who of those that are to serve a route does not serve it as it is now, and why. */
function behind(compiled: Compiled, fleet: Fleet, route: RouteResult): RouteDetail['behind'] {
  const groupOf = new Map(fleet.sidecars.flatMap((group) => group.pods.map((pod) => [pod, group] as const)))
  const refusalOf = new Map(fleet.refusals.map(({ pod, errors }) => [pod, errors]))
  const found: { pod: string; why: string }[] = []
  for (const [audience, pods] of compiled.pods.audiences(route.namespace)) {
    if (!audience.routes.has(route.name)) continue
    for (const pod of pods) {
      const group = groupOf.get(pod)
      if (isCurrent(compiled, route.name, group)) continue
      const [refused] = refusalOf.get(pod) ?? []
      const why = !group
        ? 'not connected'
        : refused
          ? `refused: ${refused.path} ${refused.message}`
          : compiled.resource(keyOf('route', route.name), group.lacks) === undefined
            ? `too old: lacks ${group.lacks.join(', ')}`
            : 'has an earlier version'
      found.push({ pod, why })
      if (found.length === BEHIND) return found
    }
  }
  return found
}
