import type { CompiledRoute, CompiledTarget } from '../../api/compiled.ts'
import { CONDITIONS } from '../../api/conditions.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import type { Finding } from '../../operator/source/shelf.ts'
import { split } from '../../operator/status/route.ts'
import type { StatusOf } from '../../operator/statuses.ts'
import { columns, paint } from '../output.ts'

/** The routes that a pod gets, each rule with its split, in columns. */
export function routeTable(
  compiled: Compiled,
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): string {
  const { routes } = compiled.audience(pod)
  const rows = [...routes].sort().flatMap((name) => {
    const route = compiled.routes.get(name)
    return (route?.body.rules ?? []).map((rule, i) => [
      i === 0 ? name : '',
      i === 0 ? (route?.body.models.join(', ') ?? '') || '(by path)' : '',
      rule.name,
      [split(rule, pod.namespace), ...later(rule.targets, pod.namespace)].join(', then '),
    ])
  })
  return rows.length > 0 ? columns([['ROUTE', 'MODELS', 'RULE', 'TARGETS'], ...rows]) : ''
}

/** The targets of the further priorities, in order. */
function later(targets: readonly CompiledTarget[], namespace: string): readonly string[] {
  const first = Math.min(...targets.map(({ priority }) => priority))
  const priorities = [...new Set(targets.map(({ priority }) => priority))].filter((priority) => priority > first)
  return priorities
    .sort((a, b) => a - b)
    .map((priority) =>
      targets
        .filter((target) => target.priority === priority)
        .map(({ endpoint }) => (endpoint.startsWith(`${namespace}/`) ? endpoint.slice(namespace.length + 1) : endpoint))
        .join(' · '),
    )
}

/** A command to copy: for a route that asks for a model, or one that goes by path. */
export function tryIt(routes: Iterable<CompiledRoute>, url: string): string | undefined {
  const all = [...routes].sort((a, b) => (a.name < b.name ? -1 : 1))
  const route = all.find(({ models }) => models.some((model) => model !== '*')) ?? all[0]
  if (!route) return undefined
  const headers = (route.rules.at(-1)?.matches[0]?.headers ?? []).map(
    ({ name, value }) => ` -H '${name}: ${value || '1'}'`,
  )
  const path = route.rules[0]?.matches[0]?.path
  if (route.models.length === 0) return path && `curl ${url}${path.value}${headers.join('')}`
  const model = route.models.find((it) => it !== '*') ?? 'any'
  const body = `{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}`
  return `curl ${url}/v1/chat/completions -H 'content-type: application/json'${headers.join('')} -d '${body}'`
}

/** One thing that is wrong with the manifests, as a line. */
export function problem({ at, object, path, message, kept }: Finding): string {
  const what = [at, object, path, message].filter((part) => part !== undefined && part !== '').join(': ')
  const rest = kept ? paint('dim', ' (what was there before goes on serving)') : ''
  return `${paint('red', 'problem')} ${what}${rest}\n`
}

/** What is injected on purpose into what an object says, as a line; empty where nothing is. */
export function injections(id: string, { status }: StatusOf): string {
  const { message } =
    status.conditions.find(({ type, status }) => type === CONDITIONS.faultsInjected && status === 'True') ?? {}
  return message === undefined ? '' : `${paint('yellow', 'faults')} ${id}: ${message}\n`
}

/** What the compile has against an object, a line for each condition that does not hold; what takes its time is not told. */
export function objections(id: string, { status }: StatusOf, at: string | undefined): string {
  const told: readonly string[] = [CONDITIONS.accepted, CONDITIONS.resolvedRefs]
  return status.conditions
    .filter(({ type, status, reason }) => status === 'False' && reason !== 'Invalid' && told.includes(type))
    .map(({ reason, message }) => `${paint('yellow', 'warning')} ${at ? `${at}: ` : ''}${id}: ${reason}: ${message}\n`)
    .join('')
}
