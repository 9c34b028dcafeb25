import { DESTINATIONS } from './decisions/journal.ts'
import type { Destination, JournalSettings } from './decisions/journal.ts'
import { LEVELS } from './log.ts'
import type { Level } from './log.ts'

/** Where the sidecar listens, whom it asks, and what it keeps: all from its environment, read once. */
export interface Settings {
  /** For the app's requests. */
  readonly listen: Listen
  /** For people on the pod: configuration, state, explanations. */
  readonly admin: Listen
  /** For the kubelet and Prometheus. */
  readonly metrics: Listen
  /** `wss://…` of the operator; undefined: the last good configuration alone. */
  readonly operator: string | undefined
  readonly tokenFile: string
  readonly caFile: string | undefined
  /** A volume for the last good configuration; undefined: none is kept. */
  readonly stateDir: string | undefined
  readonly logLevel: Level
  /** Largest body of a request, bytes. */
  readonly bodyLimit: number
  /** Where decisions are written down. */
  readonly decisions: JournalSettings
}

export interface Listen {
  readonly host: string
  readonly port: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the environment. Throws an error that names the variable and what it takes. */
export function readSettings(environment: Environment): Settings {
  const level = environment['TRADEWIND_LOG_LEVEL'] || 'info'
  const logLevel = LEVELS.find((known) => known === level)
  if (!logLevel) throw new Error(`TRADEWIND_LOG_LEVEL is ${level}; it takes ${LEVELS.join(', ')}`)
  return {
    listen: listen(environment, 'TRADEWIND_LISTEN', '127.0.0.1:4141'),
    admin: listen(environment, 'TRADEWIND_ADMIN', '127.0.0.1:4142'),
    metrics: listen(environment, 'TRADEWIND_METRICS', '0.0.0.0:4143'),
    operator: operator(environment['TRADEWIND_OPERATOR']),
    tokenFile: environment['TRADEWIND_TOKEN_FILE'] ?? '/var/run/secrets/tradewind/token',
    caFile: environment['TRADEWIND_CA_FILE'] || undefined,
    stateDir: environment['TRADEWIND_STATE_DIR'] || undefined,
    logLevel,
    bodyLimit: bytes(environment, 'TRADEWIND_BODY_LIMIT', 50 * 1024 * 1024),
    decisions: decisions(environment),
  }
}

function listen(environment: Environment, name: string, fallback: string): Listen {
  const text = environment[name] || fallback
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65535) throw new Error(`${name} is ${text}; it takes host:port`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** Destinations with commas between, or `off`; the file is in the volume unless it is said where. */
function decisions(environment: Environment): JournalSettings {
  const to = destinations(environment['TRADEWIND_DECISIONS'] || 'off')
  if (!to) {
    const known = ['off', ...DESTINATIONS].join(', ')
    throw new Error(
      `TRADEWIND_DECISIONS is ${environment['TRADEWIND_DECISIONS']}; it takes ${known}, with commas between`,
    )
  }
  const state = environment['TRADEWIND_STATE_DIR']
  const path = environment['TRADEWIND_DECISIONS_FILE'] || (state ? `${state}/decisions.jsonl` : undefined)
  if (to.includes('file') && path === undefined)
    throw new Error('TRADEWIND_DECISIONS has file: TRADEWIND_DECISIONS_FILE must say which')
  if (
    to.includes('otlp') &&
    !environment['OTEL_EXPORTER_OTLP_ENDPOINT'] &&
    !environment['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT']
  )
    throw new Error('TRADEWIND_DECISIONS has otlp: OTEL_EXPORTER_OTLP_ENDPOINT must say where')
  const size = bytes(environment, 'TRADEWIND_DECISIONS_FILE_SIZE', 8 * 1024 * 1024)
  const keep = environment['TRADEWIND_DECISIONS_FILE_KEEP'] || '1'
  if (!/^\d{1,3}$/.test(keep)) throw new Error(`TRADEWIND_DECISIONS_FILE_KEEP is ${keep}; it takes a number of files`)
  return { to, file: path === undefined ? undefined : { path, size, keep: Number(keep) } }
}

/** Undefined where it is none of them. */
function destinations(text: string): readonly Destination[] | undefined {
  if (text === 'off') return []
  const words = text.split(',').map((word) => word.trim())
  const known = DESTINATIONS.filter((it) => words.includes(it))
  return known.length === new Set(words).size ? known : undefined
}

function operator(url: string | undefined): string | undefined {
  if (!url) return undefined
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol))
    throw new Error(`TRADEWIND_OPERATOR is ${url}; it takes a URL such as wss://tradewind.tradewind-system.svc:8443`)
  return url
}

function bytes(environment: Environment, name: string, fallback: number): number {
  const text = environment[name]
  if (!text) return fallback
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new Error(`${name} is ${text}; it takes a number of bytes`)
  return Number(text)
}
