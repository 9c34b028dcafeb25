import { API_VERSION, GROUP, VERSION } from '../../api/resource.ts'
import { kinds } from '../../api/kinds.ts'

export type KindName = (typeof kinds)[number]['kind']

export interface Manifest {
  readonly apiVersion: string
  readonly kind: KindName
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: Readonly<Record<string, unknown>>
}

/** The least that a good manifest of each kind says. */
const least = {
  ModelEndpoint: { provider: { type: 'OpenAI' }, models: [{ name: 'm' }] },
  ModelRoute: { models: ['m'], rules: [{ targets: [{ endpoint: { name: 'e' } }] }] },
} as const satisfies Record<KindName, object>

/** A good manifest with fields of its spec replaced; those that are undefined are taken out. */
export function manifest(kind: KindName, name: string, spec: Readonly<Record<string, unknown>> = {}): Manifest {
  const merged = Object.entries({ ...least[kind], ...spec }).filter(([, value]) => value !== undefined)
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'default' }, spec: Object.fromEntries(merged) }
}

/** The path of a kind's collection on the API server. */
export function collection(kind: KindName, namespace = 'default'): string {
  const { plural = '' } = kinds.find((each) => each.kind === kind) ?? {}
  return `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${plural}`
}
