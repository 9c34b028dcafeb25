import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledConfig, CompiledResource, ResourceKey } from '../../api/compiled.ts'
import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { parse } from '../../api/parse.ts'
import { API_VERSION } from '../../api/resource.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import { compile } from '../../operator/compile/index.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import type { ArtefactView, Labels, PodView, SecretView, ServiceView, SliceView, World } from '../../operator/world.ts'
import { HealthChecks } from '../../sidecar/health.ts'
import { dataPath } from '../helpers/data-path.ts'

type Spec = Readonly<Record<string, unknown>>

/** What a cluster holds, as a user would write it. Names without a namespace are of `ai`. */
export interface Setting {
  readonly endpoints: Readonly<Record<string, Spec>>
  readonly routes: Readonly<Record<string, Spec>>
  /** Labelled for us unless it says otherwise. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Artefacts by their ConfigMap's name. */
  readonly artefacts?: Readonly<Record<string, Uint8Array>>
  /** Ports by number with the address behind each. */
  readonly services?: Readonly<
    Record<string, Readonly<Record<number, { readonly host: string; readonly port: number }>>>
  >
  /** Ready pods by name. */
  readonly pods?: Readonly<Record<string, { readonly ip: string; readonly labels: Labels }>>
  readonly namespaces?: Readonly<Record<string, Labels>>
  /** What was decided of rollouts, by route. */
  readonly rollouts?: Readonly<Record<string, readonly InForce[]>>
  /** The pod that asks. */
  readonly me?: { readonly namespace?: string; readonly labels?: Labels }
}

/** Compiles a setting as the operator does. */
export function compiledOf(setting: Setting): Compiled {
  return compile(world(setting), { allowLoopback: true })
}

/** The configuration that the sidecar of the pod that asks gets. */
export function configOf({ me, ...setting }: Setting): CompiledConfig {
  const compiled = compiledOf(setting)
  const { keys } = compiled.audience({ namespace: me?.namespace ?? 'ai', labels: me?.labels ?? {} })
  const config = new Map<ResourceKey, CompiledResource>()
  for (const key of keys.keys()) {
    const resource = compiled.resource(key, [])
    if (resource) config.set(key, resource)
  }
  return config
}

/** A request to the sidecar, a chat for model `chat` unless said. */
export interface Asking {
  readonly model?: string
  readonly stream?: boolean
  readonly path?: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** Further fields of the body. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface Answered {
  readonly status: number
  readonly text: string
  /** Of `x-tradewind-…`; empty where the answer has none. */
  readonly endpoint: string
  readonly model: string
  readonly rule: string
  readonly attempts: number
  readonly cost: string
  readonly reason: string
  /** `experiment/arm`; empty where the request is of none. */
  readonly experiment: string
  /** The code of the error, in the answer or in its stream; empty where there is none. */
  readonly code: string
}

/** A real sidecar with what a real compile makes of the setting, until the test ends. */
export async function sidecar(t: TestContext, setting: Setting, environment: Readonly<Record<string, string>> = {}) {
  const { path, port } = await dataPath(t, undefined, { environment })
  const checks = new HealthChecks(path.deps)
  t.after(() => checks.stop())
  const change = (next: Setting): void => {
    assert.deepEqual(path.configuration.apply(configOf(next)), [])
    checks.update(path.configuration.runtime?.endpoints.values() ?? [])
  }
  change(setting)
  const ask = async (asking: Asking = {}): Promise<Answered> => {
    const { model = 'chat', stream = false, method = 'POST', headers = {}, fields = {} } = asking
    const body = { model, stream, messages: [{ role: 'user', content: 'Hello' }], ...fields }
    const answer = await request(`http://127.0.0.1:${port}${asking.path ?? '/v1/chat/completions'}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: method === 'GET' ? null : JSON.stringify(body),
    })
    const text = await answer.body.text()
    const said = (name: string): string => String(answer.headers[`x-tradewind-${name}`] ?? '')
    return {
      status: answer.statusCode,
      text,
      endpoint: said('endpoint').replace(/^ai\//, ''),
      model: said('model'),
      rule: said('rule'),
      attempts: Number(said('attempts')),
      cost: said('cost'),
      reason: said('reason'),
      experiment: said('experiment'),
      code: /"error":\{.*?"code":"(\w+)"/.exec(text)?.[1] ?? '',
    }
  }
  const send = async (to: string, body: object): Promise<{ readonly status: number; readonly text: string }> => {
    const answer = await request(`http://127.0.0.1:${port}${to}`, { method: 'POST', body: JSON.stringify(body) })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  return { ask, send, change }
}

/** An endpoint of a simulated model server that serves model `m`. */
export function at(url: string, rest: object = {}): Spec {
  return {
    provider: { type: 'OpenAICompatible' },
    address: { type: 'URL', url: `${url}/v1` },
    models: [{ name: 'm' }],
    ...rest,
  }
}

/** A route for model `chat` with one rule. A failure is not retried on the same target unless the rule says so. */
export function chat(targets: readonly unknown[], rule: object = {}, rest: object = {}): Spec {
  return { models: ['chat'], rules: [{ targets, retry: { attempts: 0 }, ...rule }], ...rest }
}

/** A target. */
export function to(name: string, rest: object = {}): Spec {
  return { endpoint: { name }, ...rest }
}

/** A setting as the compile reads it. */
export function world({
  endpoints,
  routes,
  rollouts = {},
  secrets = {},
  artefacts = {},
  services = {},
  pods = {},
  namespaces = {},
}: Setting): World {
  const objects = [
    ...Object.entries(endpoints).map(([name, spec]) => parsed('ModelEndpoint', name, spec)),
    ...Object.entries(routes).map(([name, spec]) => parsed('ModelRoute', name, spec)),
  ]
  return {
    rollouts: entries(rollouts, (_, __, decided) => decided),
    routes: byName(objects.filter((object): object is ModelRoute => object.kind === 'ModelRoute')),
    endpoints: byName(objects.filter((object): object is ModelEndpoint => object.kind === 'ModelEndpoint')),
    invalid: new Map(),
    artefacts: entries(artefacts, (namespace, name, bytes): ArtefactView => {
      return { namespace, name, data: Buffer.from(bytes).toString('base64') }
    }),
    secrets: entries(secrets, (namespace, name, data): SecretView => {
      return { namespace, name, labels: { 'tradewind.dev/use': 'credentials' }, data }
    }),
    services: entries(services, (namespace, name, ports): ServiceView => {
      const numbers = Object.keys(ports).map(Number)
      return {
        namespace,
        name,
        type: 'ClusterIP',
        ipFamilies: ['IPv4'],
        ports: numbers.map((port) => ({ name: `p${port}`, port })),
      }
    }),
    slices: entries(services, (namespace, service, ports): readonly SliceView[] =>
      Object.entries(ports).map(([number, { host, port }]) => ({
        namespace,
        name: `${service}-${number}`,
        service,
        addressType: 'IPv4',
        ports: [{ name: `p${number}`, port }],
        endpoints: [{ addresses: [host], ready: true, serving: true, terminating: false }],
      })),
    ),
    pods: entries(pods, (namespace, name, { ip, labels }): PodView => {
      const state = { injected: false, running: true, ready: true, terminating: false }
      return { namespace, name, uid: name, labels, ips: [ip], ...state }
    }),
    namespaces: new Map(Object.entries(namespaces).map(([name, labels]) => [name, { name, labels }])),
  }
}

function parsed(kind: string, fullName: string, spec: Spec): ModelRoute | ModelEndpoint {
  const [namespace, name] = split(fullName)
  const result = parse({ apiVersion: API_VERSION, kind, metadata: { name, namespace, generation: 1 }, spec })
  assert.ok(result.ok, JSON.stringify(result))
  return result.object
}

function byName<T extends ModelRoute | ModelEndpoint>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]))
}

function entries<In, Out>(
  from: Readonly<Record<string, In>>,
  make: (namespace: string, name: string, value: In) => Out,
): ReadonlyMap<string, Out> {
  return new Map(
    Object.entries(from).map(([fullName, value]) => {
      const [namespace, name] = split(fullName)
      return [`${namespace}/${name}`, make(namespace, name, value)]
    }),
  )
}

function split(fullName: string): readonly [namespace: string, name: string] {
  const [first = '', second] = fullName.split('/')
  return second === undefined ? ['ai', first] : [first, second]
}
