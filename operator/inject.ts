import { AUDIENCE } from './authenticate.ts'
import { CA_KEY, CA_NAME } from './authority.ts'
import { INJECTED_LABEL } from './source/views.ts'

/** What every injected sidecar is told. */
export interface InjectOptions {
  readonly image: string
  readonly pullPolicy: string
  readonly pullSecrets: readonly string[]
  /** `resources` of the container. */
  readonly resources: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
  /** Where the sidecar finds the operator, `wss://…:8443`. */
  readonly operator: string
}

/** One operation of a JSON Patch (RFC 6902). */
export interface Operation {
  readonly op: 'add'
  readonly path: string
  readonly value: unknown
}

export type Injection =
  | { readonly patch: readonly Operation[] }
  /** Why the pod gets no sidecar and must not start as if it had one: a full sentence. */
  | { readonly refused: string }

interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: unknown
}
interface Container {
  readonly name: string
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly unknown[]
}
/** What is read of a pod; the rest passes through untouched. */
export interface Pod {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly containers: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly volumes?: readonly unknown[]
    readonly imagePullSecrets?: readonly { readonly name?: string }[]
    readonly hostNetwork?: boolean
    readonly shareProcessNamespace?: boolean
    readonly os?: { readonly name?: string }
  }
}

/** The label by which a namespace or a pod asks for a sidecar (`true`), or a pod declines (`false`). */
const INJECT_LABEL = 'tradewind.dev/inject'
const CONTAINER = 'tradewind-sidecar'
const [IDENTITY, STATE] = ['tradewind-identity', 'tradewind-state']
const [IDENTITY_DIR, STATE_DIR] = ['/var/run/secrets/tradewind', '/var/lib/tradewind']
const BASE_URL = 'http://127.0.0.1:4141/v1'
const LOOPBACK = ['127.0.0.1', 'localhost', '::1']
/** Says in the pod what was done to it. */
const DONE = 'tradewind.dev/injection'

// What a pod may say of its own sidecar.
const IMAGE = 'tradewind.dev/sidecar-image'
const LOG_LEVEL = 'tradewind.dev/sidecar-log-level'
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error']
const QUANTITY = /^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$/
const RESOURCES = (['requests', 'limits'] as const).flatMap((kind) =>
  (['cpu', 'memory'] as const).map((resource) => ({
    kind,
    resource,
    annotation: `tradewind.dev/sidecar-${resource}-${kind === 'requests' ? 'request' : 'limit'}`,
  })),
)

/**
 * Adds the sidecar to a pod, as its first native sidecar, and points the pod's other containers to it. Pure: it depends on the pod and on
 * the operator's settings alone, never on routes or endpoints. A pod that has one already, or declines, is left as it is.
 */
export function inject(pod: Pod, options: InjectOptions): Injection {
  const { spec, metadata = {} } = pod
  const { labels = {}, annotations = {} } = metadata
  const { initContainers = [], containers } = spec
  if (labels[INJECT_LABEL] === 'false' || initContainers.some(({ name }) => name === CONTAINER)) return { patch: [] }
  const refused = refusal(pod) ?? wrongAnnotation(annotations)
  if (refused) return { refused }

  const done: Record<string, readonly string[]> = {}
  const pointed = (all: readonly Container[]) =>
    all.map((container) => {
      const env = environment(container)
      done[container.name] = env.added
      return env.added.length ? { ...container, env: env.all } : container
    })
  const apps = pointed(containers)
  const image = annotations[IMAGE] ?? options.image
  const patched = [
    add('/spec/initContainers', [sidecar(annotations, image, options), ...pointed(initContainers)]),
    add('/spec/containers', apps),
    add('/spec/volumes', [...(spec.volumes ?? []), ...volumes()]),
    add('/metadata/labels', { ...labels, [INJECTED_LABEL]: 'true' }),
    add('/metadata/annotations', { ...annotations, [DONE]: JSON.stringify({ sidecar: image, environment: done }) }),
  ]
  const present = spec.imagePullSecrets ?? []
  const missing = options.pullSecrets.filter((name) => !present.some((it) => it.name === name))
  if (missing.length) patched.push(add('/spec/imagePullSecrets', [...present, ...missing.map((name) => ({ name }))]))
  return { patch: patched }
}

const add = (path: string, value: unknown): Operation => ({ op: 'add', path, value })

function refusal({ spec }: Pod): string | undefined {
  const instead = `label the pod ${INJECT_LABEL}: "false" to run it without a sidecar`
  if (spec.hostNetwork)
    return `The pod uses hostNetwork: the sidecar's ports would be the node's, open to every other pod there. Take hostNetwork out, or ${instead}.`
  if (spec.shareProcessNamespace)
    return `The pod uses shareProcessNamespace: its containers could read the sidecar's credentials. Take it out, or ${instead}.`
  if (spec.os?.name !== undefined && spec.os.name !== 'linux')
    return `The pod is for ${spec.os.name}, and the sidecar for Linux: ${instead}.`
  return undefined
}

function wrongAnnotation(annotations: Readonly<Record<string, string>>): string | undefined {
  const level = annotations[LOG_LEVEL]
  if (level !== undefined && !LOG_LEVELS.includes(level))
    return `Annotation ${LOG_LEVEL} is ${JSON.stringify(level)}; it must be one of ${LOG_LEVELS.join(', ')}.`
  if (annotations[IMAGE] !== undefined && !/^\S+$/.test(annotations[IMAGE]))
    return `Annotation ${IMAGE} is ${JSON.stringify(annotations[IMAGE])}; it must be the name of an image.`
  for (const { annotation } of RESOURCES) {
    const value = annotations[annotation]
    if (value !== undefined && !QUANTITY.test(value))
      return `Annotation ${annotation} is ${JSON.stringify(value)}; it must be a quantity such as 50m or 128Mi.`
  }
  return undefined
}

function sidecar(annotations: Readonly<Record<string, string>>, image: string, options: InjectOptions): object {
  const env = {
    TRADEWIND_OPERATOR: options.operator,
    TRADEWIND_TOKEN_FILE: `${IDENTITY_DIR}/token`,
    TRADEWIND_CA_FILE: `${IDENTITY_DIR}/${CA_KEY}`,
    TRADEWIND_STATE_DIR: STATE_DIR,
    ...options.env,
    ...(annotations[LOG_LEVEL] ? { TRADEWIND_LOG_LEVEL: annotations[LOG_LEVEL] } : {}),
  }
  const probe = (path: string, period: number, failures: number) => ({
    httpGet: { path, port: 4143 },
    periodSeconds: period,
    failureThreshold: failures,
    timeoutSeconds: 2,
  })
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: options.pullPolicy,
    // A native sidecar: it starts before the app and all other init containers, ends after them, and never keeps a Job from completing.
    restartPolicy: 'Always',
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    ports: [{ name: 'tw-metrics', containerPort: 4143, protocol: 'TCP' }],
    startupProbe: probe('/startupz', 1, 120),
    readinessProbe: probe('/readyz', 2, 2),
    livenessProbe: probe('/healthz', 10, 3),
    resources: resources(annotations, options.resources),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: IDENTITY, mountPath: IDENTITY_DIR, readOnly: true },
      { name: STATE, mountPath: STATE_DIR },
    ],
  }
}

function resources(annotations: Readonly<Record<string, string>>, base: InjectOptions['resources']): object {
  const own = (kind: 'requests' | 'limits') =>
    Object.fromEntries(
      RESOURCES.flatMap((it) => {
        const value = annotations[it.annotation]
        return it.kind === kind && value !== undefined ? [[it.resource, value]] : []
      }),
    )
  const merged = {
    requests: { ...Object(base['requests']), ...own('requests') },
    limits: { ...Object(base['limits']), ...own('limits') },
  }
  return { ...base, ...merged }
}

function volumes(): object[] {
  const token = { audience: AUDIENCE, expirationSeconds: 3600, path: 'token' }
  // Optional: with the operator away the pod starts all the same, and the kubelet brings the root when it is there.
  const roots = { name: CA_NAME, optional: true, items: [{ key: CA_KEY, path: CA_KEY }] }
  return [
    { name: IDENTITY, projected: { sources: [{ serviceAccountToken: token }, { configMap: roots }] } },
    { name: STATE, emptyDir: { medium: 'Memory', sizeLimit: '32Mi' } },
  ]
}

/** A container's environment with what leads it to the sidecar; what it sets itself stays. */
function environment({ env = [], envFrom = [] }: Container): { all: readonly EnvVar[]; added: string[] } {
  const added: string[] = []
  const all = [...env]
  const has = (name: string) => env.some((it) => it.name === name)
  const set = (name: string, value: string) => {
    if (has(name)) return
    all.push({ name, value })
    added.push(name)
  }
  set('OPENAI_BASE_URL', BASE_URL)
  // What envFrom brings is not known here, and a variable would hide it: a key of the app's own, or its exceptions from a proxy.
  if (envFrom.length === 0) set('OPENAI_API_KEY', 'tradewind')
  for (const name of ['NO_PROXY', 'no_proxy']) {
    const i = all.findIndex((it) => it.name === name)
    const value = all[i]?.value
    if (i < 0 && envFrom.length === 0) set(name, LOOPBACK.join(','))
    else if (value !== undefined && value !== '*') {
      const hosts = value.split(/[\s,]+/).filter(Boolean)
      const missing = LOOPBACK.filter((host) => !hosts.includes(host))
      if (missing.length === 0) continue
      all[i] = { name, value: [...hosts, ...missing].join(',') }
      added.push(name)
    }
  }
  return { all, added }
}
