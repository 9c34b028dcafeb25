import { parseArgs } from 'node:util'
import { milliseconds } from '../core/schema.ts'
import { readSubscriptions } from './notifications/subscription.ts'
import type { Subscription } from './notifications/subscription.ts'

/** What the operator is told at its start, by flag (`--watch-namespaces a,b`) or environment (`TRADEWIND_WATCH_NAMESPACES=a,b`); a flag wins. */
export interface Settings {
  readonly kubeconfig: string | undefined
  readonly serviceAccount: string
  readonly namespace: string
  readonly pod: string
  readonly podIp: string
  readonly service: string
  readonly caSecret: string
  readonly lease: string
  readonly leaseDuration: number
  readonly watchNamespaces: readonly string[]
  readonly allowLoopback: boolean
  readonly allowFaults: boolean
  readonly dashboard: boolean
  readonly listen: string | undefined
  readonly pushPort: number
  readonly webhookPort: number
  readonly metricsPort: number
  readonly webhooks: string | undefined
  readonly webhookCertDir: string | undefined
  readonly certificateNames: readonly string[]
  readonly caValidity: number
  readonly caOverlap: number
  readonly certificateValidity: number
  readonly tokenFile: string
  readonly sidecarImage: string
  readonly sidecarPullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  readonly sidecarPullSecrets: readonly string[]
  readonly sidecarResources: Readonly<Record<string, unknown>>
  readonly sidecarEnv: Readonly<Record<string, string>>
  readonly notifications: readonly Subscription[]
  readonly logLevel: (typeof LOG_LEVELS)[number]
}

/** Something that was set wrong, by its name and in a sentence. */
export class SettingsError extends Error {}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const

interface Setting<T> {
  readonly help: string
  /** As text; undefined: it must be given. Empty text: unset. */
  readonly fallback: string | undefined
  readonly parse: (text: string, env: NodeJS.ProcessEnv) => T
}
type Table = { readonly [K in keyof Settings]: Setting<Settings[K]> }

/** Each setting once: what it is for, its default, and how its text is read. */
const table: Table = {
  kubeconfig: {
    help: 'kubeconfig file; default: the pod’s own ServiceAccount, or as kubectl has it',
    fallback: '',
    parse: maybe,
  },
  serviceAccount: {
    help: 'where the pod’s ServiceAccount is mounted',
    fallback: '/var/run/secrets/kubernetes.io/serviceaccount',
    parse: text,
  },
  namespace: { help: 'the operator’s own namespace', fallback: undefined, parse: dnsName },
  pod: { help: 'this replica’s name', fallback: undefined, parse: dnsName },
  podIp: { help: 'where other replicas reach this one', fallback: '127.0.0.1', parse: text },
  service: { help: 'the name of the operator’s Service', fallback: 'tradewind-operator', parse: dnsName },
  caSecret: { help: 'the Secret that holds the CA', fallback: 'tradewind-operator-ca', parse: dnsName },
  lease: { help: 'the Lease by which the replicas elect a leader', fallback: 'tradewind-operator', parse: dnsName },
  leaseDuration: {
    help: 'how long a leader that is silent stays leader',
    fallback: '15s',
    parse: between('3s', '10m'),
  },
  watchNamespaces: { help: 'the namespaces to serve, with commas; empty: all', fallback: '', parse: names },
  allowLoopback: { help: 'admit endpoints whose URL is a loopback address', fallback: 'false', parse: yesNo },
  allowFaults: { help: 'let rules inject faults on purpose (spec.rules[].faults)', fallback: 'true', parse: yesNo },
  dashboard: { help: 'serve the dashboard on the push port', fallback: 'true', parse: yesNo },
  listen: { help: 'the address to listen on; empty: all, IPv6 where there is any', fallback: '', parse: maybe },
  pushPort: { help: 'the port of the push to the sidecars', fallback: '8443', parse: port },
  webhookPort: { help: 'the port of the admission webhooks', fallback: '9443', parse: port },
  metricsPort: { help: 'the port of metrics and health', fallback: '8080', parse: port },
  webhooks: {
    help: 'the webhook configurations whose CA bundle is kept up to date; empty: none',
    fallback: '',
    parse: maybe,
  },
  webhookCertDir: {
    help: 'a directory with tls.crt and tls.key for the webhooks; empty: our own CA signs',
    fallback: '',
    parse: maybe,
  },
  certificateNames: {
    help: 'more names and addresses that the serving certificate is good for, with commas',
    fallback: '',
    parse: list,
  },
  caValidity: { help: 'how long a root is good for', fallback: '8760h', parse: between('10s', '87600h') },
  caOverlap: {
    help: 'how long two roots are trusted together, before a new one signs and after',
    fallback: '1h',
    parse: between('1s', '8760h'),
  },
  certificateValidity: {
    help: 'how long a serving certificate is good for',
    fallback: '720h',
    parse: between('5s', '8760h'),
  },
  tokenFile: {
    help: 'the token that this replica shows to the leader (audience tradewind)',
    fallback: '/var/run/secrets/tradewind/token',
    parse: text,
  },
  sidecarImage: { help: 'the image of the injected sidecar', fallback: undefined, parse: text },
  sidecarPullPolicy: { help: 'its imagePullPolicy', fallback: 'IfNotPresent', parse: oneOf(PULL_POLICIES) },
  sidecarPullSecrets: { help: 'the imagePullSecrets of injected pods, with commas', fallback: '', parse: names },
  sidecarResources: { help: 'its resources, JSON', fallback: '{}', parse: json },
  sidecarEnv: { help: 'more environment for it, a JSON object of strings', fallback: '{}', parse: strings },
  notifications: {
    help: 'who is told of rollouts, a JSON list; ${NAME} in url and secret is of the environment',
    fallback: '[]',
    parse: readSubscriptions,
  },
  logLevel: { help: 'how much is logged', fallback: 'info', parse: oneOf(LOG_LEVELS) },
}

const KEYS = Object.keys(table) as (keyof Settings)[] // the table has exactly these keys

/** Reads the settings, or those of them that are asked for. Throws a SettingsError that names what is wrong, and what would be right. */
export function readSettings<K extends keyof Settings = keyof Settings>(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  keys: readonly K[] = KEYS as unknown as readonly K[], // all of them, where K is left out
): Pick<Settings, K> {
  const options = Object.fromEntries(KEYS.map((key) => [kebab(key), { type: 'string' as const }]))
  let flags: Record<string, string | undefined>
  try {
    flags = parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error))
  }
  const read = (key: keyof Settings): unknown => {
    const [flag, variable] = [kebab(key), `TRADEWIND_${kebab(key).replaceAll('-', '_').toUpperCase()}`]
    const { fallback, parse, help } = table[key]
    const given = flags[flag] ?? env[variable] ?? fallback
    if (given === undefined) throw new SettingsError(`--${flag} or ${variable} must be set: ${help}.`)
    try {
      return parse(given, env)
    } catch (error) {
      // A list of receivers can have secrets in it.
      const shown = key === 'notifications' ? 'wrong' : JSON.stringify(given)
      throw new SettingsError(`--${flag} (${variable}) is ${shown}: ${String(Object(error).message)}`)
    }
  }
  const settings = Object.fromEntries(keys.map((key) => [key, read(key)])) as unknown as Pick<Settings, K> // each by its own parser
  const { caValidity = Infinity, caOverlap = 0 }: Partial<Settings> = settings
  if (caValidity < 6 * caOverlap)
    throw new SettingsError(
      '--ca-validity must be at least six times --ca-overlap: a rotation has to fit into its last third.',
    )
  return settings
}

/** The settings, for `--help`. */
export function settingsHelp(): string {
  return KEYS.map((key) => {
    const { help, fallback } = table[key]
    return `  --${kebab(key).padEnd(24)}${help}${fallback ? ` (${fallback})` : fallback === undefined ? ' (must be set)' : ''}`
  }).join('\n')
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
function text(value: string): string {
  if (!value) throw new Error('it must not be empty')
  return value
}
function maybe(value: string): string | undefined {
  return value || undefined
}
function dnsName(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value)) throw new Error('it must be a Kubernetes name')
  return value
}
function list(value: string): string[] {
  return value
    .split(',')
    .map((it) => it.trim())
    .filter(Boolean)
}
function names(value: string): string[] {
  return list(value).map(dnsName)
}
function port(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new Error('it must be a port, 0 to 65535')
  return number
}
function yesNo(value: string): boolean {
  return oneOf(['true', 'false'] as const)(value) === 'true'
}
function oneOf<const T extends string>(words: readonly T[]): (value: string) => T {
  return (value) => {
    const found = words.find((word) => word === value)
    if (!found) throw new Error(`it must be one of ${words.join(', ')}`)
    return found
  }
}
function between(least: string, most: string): (value: string) => number {
  return (value) => {
    if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(value)) throw new Error('it must be a duration such as 15s or 1h30m')
    const ms = milliseconds(value)
    if (ms < milliseconds(least) || ms > milliseconds(most)) throw new Error(`it must be between ${least} and ${most}`)
    return ms
  }
}
function json(value: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    throw new Error('it must be JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error('it must be a JSON object')
  return { ...parsed }
}
function strings(value: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(json(value)).map(([key, it]) => {
      if (typeof it !== 'string') throw new Error(`${key} must be a string`)
      return [key, it]
    }),
  )
}
