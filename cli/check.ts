import type { ModelEndpoint } from '../api/model-endpoint.ts'
import type { ModelRoute } from '../api/model-route.ts'
import { parse } from '../api/parse.ts'
import { annotationFault, ROLLOUT_ANNOTATION, rulesWithRollout } from '../api/rollout-annotation.ts'
import { fullName, GROUP } from '../api/resource.ts'
import { documents, YamlError } from '../api/yaml.ts'
import type { Document, Position } from '../api/yaml.ts'
import { kinds } from '../api/kinds.ts'
import { unpriced } from '../operator/compile/endpoint.ts'
import { untimely } from '../operator/compile/faults.ts'
import { flat } from '../operator/compile/flat.ts'
import { unjudged } from '../operator/compile/unjudged.ts'
import { unrated } from '../operator/compile/unrated.ts'
import { isLoopback } from '../operator/compile/loopback.ts'
import { resolve } from '../operator/compile/references.ts'
import type { NamespaceView } from '../operator/world.ts'
import type { File } from './manifests.ts'

/** One thing to say about a manifest. */
export interface Finding extends Position {
  readonly file: string
  readonly severity: 'error' | 'warning'
  /** Such as `ModelRoute ai/support`; empty where that cannot be told. */
  readonly object: string
  readonly path: string
  /** As in `Problem`; `yaml`, `loopback`, `twice`, `rollout`, or the reason of a reference that does not resolve. */
  readonly rule: string
  readonly message: string
}

interface Options {
  /** URLs may point at this machine, as in local mode. */
  readonly allowLoopback: boolean
}

interface Entry<T> {
  readonly object: T
  readonly file: string
  readonly document: Document
}

/** What is to be said of manifests. */
export interface Checked {
  readonly manifests: number
  readonly findings: readonly Finding[]
  /** Models whose calls will have no cost, since no price of them is known; like `ai/vllm llama-3.3-70b`. */
  readonly unpriced: readonly string[]
}

/** What is wrong with manifests: what the API server would refuse is an error, and a reference that does not resolve among them a warning. */
export function check(files: readonly File[], options: Options): Checked {
  const findings: Finding[] = []
  const routes: Entry<ModelRoute>[] = []
  const endpoints = new Map<string, ModelEndpoint>()
  const namespaces = new Map<string, NamespaceView>()
  const seen = new Map<string, string>()
  const refused = new Set<string>()
  for (const file of files)
    for (const document of read(file, findings)) {
      const { kind, name } = identity(document.value)
      const report = (path: string, rule: string, message: string): void => {
        const place = document.position(path)
        findings.push({
          file: file.name,
          ...place,
          severity: 'error',
          object: name && `${kind} ${name}`,
          path,
          rule,
          message,
        })
      }
      if (kind === 'Namespace') namespaces.set(...namespace(document.value))
      if (!ours(document.value)) continue
      const parsed = parse(document.value)
      const key = `${kind} ${name}`
      const before = seen.get(key)
      if (before !== undefined && name) report('metadata.name', 'twice', `${key} is also in ${before}.`)
      seen.set(key, file.name)
      if (!parsed.ok) {
        refused.add(key)
        for (const { path, rule, message } of parsed.problems) report(path, rule, message)
        continue
      }
      const { object } = parsed
      if (object.kind === 'ModelRoute') {
        routes.push({ object, file: file.name, document })
        const asked = object.metadata.annotations?.[ROLLOUT_ANNOTATION]
        const fault = asked === undefined ? undefined : annotationFault(asked, rulesWithRollout(object.spec.rules))
        if (fault !== undefined) report('metadata.annotations', 'rollout', fault)
      } else {
        endpoints.set(fullName(object.metadata), object)
        if (!options.allowLoopback)
          for (const [path, url] of loopbacks(object))
            report(
              path,
              'loopback',
              `${url} is this machine: in a cluster, the caller's own pod. Use --allow-loopback for local mode.`,
            )
      }
    }
  for (const route of routes)
    findings.push(
      ...unresolved(route, endpoints, namespaces, refused),
      ...withoutEffect(route, endpoints),
      ...untimelyFaults(route),
    )
  const without = [...endpoints].flatMap(([name, it]) => unpriced(it).map((model) => `${name} ${model}`))
  return { manifests: seen.size, findings, unpriced: without }
}

function read({ name, text }: File, findings: Finding[]): Document[] {
  try {
    return documents(text).flatMap(items)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const { position, message } = error
    findings.push({ file: name, ...position, severity: 'error', object: '', path: '', rule: 'yaml', message })
    return []
  }
}

/** The objects of a document: `kubectl get -o yaml` gives several as one list. */
function items(document: Document): Document[] {
  const list = field(document.value, 'items')
  if (!Array.isArray(list)) return [document]
  return list.map((value: unknown, index) => ({
    value,
    position: (path) => document.position(path ? `items[${index}].${path}` : `items[${index}]`),
  }))
}

/** Whether a document says to be one of our kinds, rightly or with a version or kind that there is not; others are not ours to check. */
function ours(value: unknown): boolean {
  const apiVersion = field(value, 'apiVersion')
  if (typeof apiVersion === 'string') return apiVersion === GROUP || apiVersion.startsWith(`${GROUP}/`)
  return !isObject(value) || apiVersion !== undefined || kinds.some(({ kind }) => kind === field(value, 'kind'))
}

function* unresolved(
  { object, file, document }: Entry<ModelRoute>,
  endpoints: ReadonlyMap<string, ModelEndpoint>,
  namespaces: ReadonlyMap<string, NamespaceView>,
  refused: ReadonlySet<string>,
): Generator<Finding> {
  for (const [i, rule] of object.spec.rules.entries())
    for (const [j, target] of rule.targets.entries()) {
      const { name, fault } = resolve(
        target.endpoint,
        object.metadata.namespace,
        (it) => referred(endpoints.get(it)),
        namespaces,
      )
      if (!fault || refused.has(`ModelEndpoint ${name}`)) continue
      const path = `spec.rules[${i}].targets[${j}].endpoint`
      const place = document.position(path)
      const route = `ModelRoute ${fullName(object.metadata)}`
      yield { file, ...place, severity: 'warning', object: route, path, rule: fault.reason, message: fault.message }
    }
}

/** Faults that the validating webhook refuses for when they end. */
function* untimelyFaults({ object, file, document }: Entry<ModelRoute>): Generator<Finding> {
  for (const { path, message } of untimely(object, Date.now()).refused) {
    const route = `ModelRoute ${fullName(object.metadata)}`
    yield { file, ...document.position(path), severity: 'error', object: route, path, rule: 'until', message }
  }
}

/** Targets that no floor lets be first, gates that have nobody to escalate to, and audits without a judge. */
function* withoutEffect(
  { object, file, document }: Entry<ModelRoute>,
  endpoints: ReadonlyMap<string, ModelEndpoint>,
): Generator<Finding> {
  const known = (name: string) => endpoints.get(name)
  const doubts = [
    ...unrated(object, known).map((doubt) => ({ ...doubt, rule: 'QualityNotStated' })),
    ...flat(object, known).map((doubt) => ({ ...doubt, rule: 'NoStrongerTarget' })),
    ...unjudged(object).map((doubt) => ({ ...doubt, rule: 'NoJudge' })),
  ]
  for (const { path, message, rule } of doubts) {
    const route = `ModelRoute ${fullName(object.metadata)}`
    yield {
      file,
      ...document.position(path),
      severity: 'warning',
      object: route,
      path,
      rule,
      message,
    }
  }
}

function referred(endpoint: ModelEndpoint | undefined) {
  return (
    endpoint && {
      name: fullName(endpoint.metadata),
      namespace: endpoint.metadata.namespace,
      provider: endpoint.spec.provider.type,
      models: endpoint.spec.models?.map(({ name }) => name) ?? [],
      allowedRoutes: endpoint.spec.allowedRoutes,
      allowCredentialUse: endpoint.spec.allowCredentialUse,
      hasCredentials:
        endpoint.spec.credentials?.type === 'Secret' || endpoint.spec.tls?.clientCertificate !== undefined,
      keys: [],
    }
  )
}

function loopbacks({ spec }: ModelEndpoint): (readonly [path: string, url: string])[] {
  const urls = [
    ['spec.address.url', spec.address?.url],
    ['spec.proxy.url', spec.proxy?.url],
  ] as const
  return urls.flatMap(([path, url]) => (url !== undefined && isLoopback(url) ? [[path, url] as const] : []))
}

function namespace(value: unknown): [string, NamespaceView] {
  const metadata = field(value, 'metadata')
  const name = String(field(metadata, 'name'))
  const labels = Object.entries(field(metadata, 'labels') ?? {}).map(([key, label]) => [key, String(label)] as const)
  return [name, { name, labels: Object.fromEntries(labels) }]
}

function identity(value: unknown): { readonly kind: string; readonly name: string } {
  const metadata = field(value, 'metadata')
  const [kind, name, namespace] = [field(value, 'kind'), field(metadata, 'name'), field(metadata, 'namespace')]
  const home = typeof namespace === 'string' ? namespace : 'default'
  return { kind: typeof kind === 'string' ? kind : '', name: typeof name === 'string' ? `${home}/${name}` : '' }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function field(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined
}
