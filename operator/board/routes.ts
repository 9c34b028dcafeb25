import type { CompiledRule, CompiledTarget } from '../../api/compiled.ts'
import type { Problem, RouteRow, Share } from '../../api/board.ts'
import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import { strategy } from '../../core/strategies/index.ts'
import type { RouteResult } from '../compile/route.ts'
import type { ObservedTarget } from '../fleet.ts'
import type { Untimed } from '../settle.ts'
import type { RouteStatus } from '../status/route.ts'
import { historyOf, rateOf } from './rates.ts'

/** A route in one line. `observed`: what was observed of its targets. */
export function routeRow(
  route: RouteResult,
  status: Partial<RouteStatus>,
  observed: readonly ObservedTarget[],
): RouteRow {
  const { name, generation, namespace, body } = route
  const { targeted = 0, connected = 0, acknowledged = 0, rejected = 0 } = status.sidecars ?? {}
  const last = body.rules.at(-1)
  return {
    name,
    generation,
    models: body.models,
    sidecars: { targeted, connected, acknowledged, rejected },
    split: last
      ? sharesOf(last, namespace, observed)
          .filter(isFirst(last))
          .map(([, share]) => share)
      : [],
    rate: rateOf(observed),
    history: historyOf(observed),
    problem: problemOf(status.conditions ?? []),
  }
}

/** The targets of a rule, each with the part that it is to get and the part that it got. */
export function sharesOf(
  rule: CompiledRule,
  namespace: string,
  observed: readonly ObservedTarget[],
): (readonly [CompiledTarget, Share])[] {
  const mine = observed.filter((it) => it.rule === rule.name)
  const requests = new Map<string, number>()
  for (const it of mine) {
    const key = `${it.endpoint} ${it.model}`
    requests.set(key, (requests.get(key) ?? 0) + it.requests)
  }
  const all = mine.reduce((sum, it) => sum + it.requests, 0)
  const picks = strategy(rule.strategy.type).picks !== undefined
  return rule.targets.map((target) => {
    const { endpoint, model, weight, priority } = target
    const peers = rule.targets.filter((it) => it.priority === priority && isThere(rule, it))
    const total = peers.reduce((sum, it) => sum + it.weight, 0)
    const share: Share = {
      target: label(target, rule.targets, namespace),
      configured: picks ? null : total === 0 || !isThere(rule, target) ? 0 : weight / total,
      observed: all === 0 ? null : (requests.get(`${endpoint} ${model}`) ?? 0) / all,
    }
    return [target, share]
  })
}

/** Whether requests are given to it at all, by weight: the share of one that is not there is taken by others, or fails. */
const isThere = ({ onUnavailable }: CompiledRule, { unavailable }: CompiledTarget): boolean =>
  !unavailable || onUnavailable === 'Fail'

/** Whether a target is asked first, rather than when others have failed. */
function isFirst({ targets }: CompiledRule): (entry: readonly [CompiledTarget, Share]) => boolean {
  const first = Math.min(...targets.map(({ priority }) => priority))
  return ([{ priority }]) => priority === first
}

function label({ endpoint, model }: CompiledTarget, all: readonly CompiledTarget[], namespace: string): string {
  const name = endpoint.startsWith(`${namespace}/`) ? endpoint.slice(namespace.length + 1) : endpoint
  return all.filter((it) => it.endpoint === endpoint).length > 1 && model !== '' ? `${name}/${model}` : name
}

/** What is wrong first, by an object's conditions; null: nothing. That nobody selects it is no fault. */
export function problemOf(conditions: readonly Untimed[]): Problem | null {
  const bad = conditions.find(({ type, status, reason }) =>
    type === CONDITIONS.partiallyInvalid || type === CONDITIONS.faultsInjected
      ? status === 'True'
      : status === 'False' && reason !== REASONS.noSidecars,
  )
  return bad ? { type: bad.type, reason: bad.reason, message: bad.message } : null
}
