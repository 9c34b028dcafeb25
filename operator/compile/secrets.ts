import type { CompiledEndpoint, CompiledSecret, ResourceKey } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import { SECRET_LABEL } from '../world.ts'
import type { SecretView } from '../world.ts'
import type { Fault } from './addresses.ts'
import { keyOf } from './resource.ts'

/** What an endpoint takes from Secrets. */
export interface SecretUse {
  readonly resources: ReadonlyMap<ResourceKey, CompiledSecret['data']>
  readonly credentials?: NonNullable<CompiledEndpoint['credentials']>
  readonly tls?: NonNullable<CompiledEndpoint['tls']>
  /** Whether any of it is secret: a CA's certificates are not. */
  readonly secret: boolean
  readonly faults: readonly Fault[]
}

/** A client certificate's keys, as `kubernetes.io/tls` has them. */
const CERTIFICATE = ['tls.crt', 'tls.key'] as const

/**
 * The parts of Secrets that an endpoint uses, each a resource `secret/NAMESPACE/NAME:KEY` (`NAME:tls` for a client certificate), so that a
 * sidecar gets just the keys that it needs, whatever else the Secret holds.
 */
export function secretsOf(endpoint: ModelEndpoint, secrets: ReadonlyMap<string, SecretView>): SecretUse {
  const { namespace } = endpoint.metadata
  const { credentials, tls } = endpoint.spec
  const resources = new Map<ResourceKey, CompiledSecret['data']>()
  const faults: Fault[] = []
  const take = (name: string, part: string, keys: readonly string[], field: string) => {
    const taken = read(secrets.get(`${namespace}/${name}`), `${namespace}/${name}`, keys, field)
    const resource = `${namespace}/${name}:${part}`
    if ('reason' in taken) faults.push(taken)
    else resources.set(keyOf('secret', resource), taken.data)
    return resource
  }
  const key = credentials?.secret
  const ca = tls?.ca
  const certificate = tls?.clientCertificate
  return {
    ...(credentials
      ? {
          credentials: {
            type: credentials.type,
            ...(key
              ? { secret: { secret: take(key.name, key.key, [key.key], 'spec.credentials.secret'), key: key.key } }
              : {}),
          },
        }
      : {}),
    ...(tls
      ? {
          tls: {
            ...(ca ? { ca: { secret: take(ca.name, ca.key, [ca.key], 'spec.tls.ca'), key: ca.key } } : {}),
            ...(certificate
              ? { clientCertificate: take(certificate.name, 'tls', CERTIFICATE, 'spec.tls.clientCertificate') }
              : {}),
            ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
          },
        }
      : {}),
    secret: key !== undefined || certificate !== undefined,
    resources,
    faults,
  }
}

function read(
  secret: SecretView | undefined,
  name: string,
  keys: readonly string[],
  field: string,
): { readonly data: CompiledSecret['data'] } | Fault {
  const label = `${SECRET_LABEL.name}: ${SECRET_LABEL.value}`
  if (!secret)
    return {
      reason: REASONS.secretNotFound,
      message: `Secret ${name} of ${field} does not exist, or does not carry the label ${label}.`,
    }
  if (secret.labels[SECRET_LABEL.name] !== SECRET_LABEL.value)
    return {
      reason: REASONS.secretNotLabelled,
      message: `Secret ${name} of ${field} does not carry the label ${label}; add it to open the Secret to Tradewind.`,
    }
  const data: Record<string, string> = {}
  for (const key of keys) {
    const value = secret.data[key]
    if (value === undefined)
      return { reason: REASONS.secretNotFound, message: `Secret ${name} of ${field} has no key ${key}.` }
    // A line's end is no part of an API key, which goes into a header, and does no harm to PEM.
    data[key] = value.trim()
  }
  return { data }
}
