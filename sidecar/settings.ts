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
  }
}

function listen(environment: Environment, name: string, fallback: string): Listen {
  const text = environment[name] || fallback
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65535) throw new Error(`${name} is ${text}; it takes host:port`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
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
