import type { TestContext } from 'node:test'
import type {
  CompiledAddresses,
  CompiledArtefact,
  CompiledConfig,
  CompiledEndpoint,
  CompiledResource,
  CompiledRoute,
  CompiledRule,
  CompiledSecret,
  CompiledTarget,
  ResourceKey,
} from '../../api/compiled.ts'
import type { AuditRecord } from '../../core/audit/record.ts'
import { digest } from '../../core/digest.ts'
import type { Telemetry } from '../../core/deps.ts'
import type { AttemptFacts, Facts } from '../../core/exchange.ts'
import type { MirrorRecord } from '../../core/mirror/record.ts'
import { DataPath } from '../../sidecar/data-path.ts'
import { PassThroughProxy } from '../../sidecar/upgrade.ts'

/** Keeps what the layers tell telemetry. */
class Recorder implements Telemetry {
  readonly exchanges: Facts[] = []
  readonly attempts: AttemptFacts[] = []
  readonly audits: AuditRecord[] = []
  readonly mirrors: MirrorRecord[] = []
  started = 0
  traceparent: string | undefined

  exchangeStarted(): void {
    this.started++
  }
  exchangeEnded(facts: Facts): void {
    this.exchanges.push(facts)
  }
  attemptStarted(): string | undefined {
    return this.traceparent
  }
  audited(record: AuditRecord): void {
    this.audits.push(record)
  }
  mirrored(record: MirrorRecord): void {
    this.mirrors.push(record)
  }
  attemptEnded(_: Facts, attempt: AttemptFacts): void {
    this.attempts.push(attempt)
  }
}

/** A compiled endpoint, with what the schema would have defaulted, but for what is given. */
export function endpoint(name: string, url: string, rest: Partial<CompiledEndpoint> = {}): CompiledEndpoint {
  return {
    name: `ai/${name}`,
    generation: 1,
    provider: { type: 'OpenAICompatible' },
    url,
    dynamic: false,
    models: [{ name: `${name}-model`, rank: 0, defaults: {}, force: {} }],
    headers: { set: {}, remove: [] },
    timeouts: { connect: 5000, firstToken: 60_000, idle: 30_000, attempt: 600_000 },
    breaker: {
      consecutive: 5,
      percent: 50,
      minimum: 20,
      within: 30_000,
      openFor: 30_000,
      probes: 1,
      rampUp: [5, 25, 100],
    },
    retryBudget: { percent: 20, minPerSecond: 3 },
    ...rest,
  }
}

/** A target of an endpoint made by `endpoint`. */
export function target(name: string, rest: Partial<CompiledTarget> = {}): CompiledTarget {
  return { endpoint: `ai/${name}`, model: `${name}-model`, weight: 1, priority: 0, ...rest }
}

/** A rule with the schema's defaults, but without retries on the same target unless they are given. */
export function rule(targets: readonly CompiledTarget[], rest: Partial<CompiledRule> = {}): CompiledRule {
  return {
    name: 'all',
    matches: [],
    targets,
    strategy: { type: 'Weighted' },
    retry: { attempts: 0, when: ['Connect', 'Reset', 'Status5xx', 'Status429'] },
    fallback: { when: ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429', 'ContextLength', 'Truncated'] },
    onUnavailable: 'Redistribute',
    ...rest,
  }
}

export function route(name: string, rules: readonly CompiledRule[], rest: Partial<CompiledRoute> = {}): CompiledRoute {
  return {
    name: `ai/${name}`,
    generation: 1,
    created: 1_700_000_000_000,
    selective: false,
    models: [name],
    requestTimeout: 600_000,
    rules,
    ...rest,
  }
}

interface Parts {
  readonly routes?: readonly CompiledRoute[]
  readonly endpoints?: readonly CompiledEndpoint[]
  /** By `namespace/name`. */
  readonly addresses?: Readonly<Record<string, CompiledAddresses>>
  readonly secrets?: Readonly<Record<string, CompiledSecret>>
  readonly artefacts?: Readonly<Record<string, CompiledArtefact>>
}

export function compiled({
  routes = [],
  endpoints = [],
  addresses = {},
  secrets = {},
  artefacts = {},
}: Parts): CompiledConfig {
  const config = new Map<ResourceKey, CompiledResource>()
  const put = (key: ResourceKey, body: CompiledResource['body']) => config.set(key, { digest: digest(body), body })
  for (const body of routes) put(`route/${body.name}` as ResourceKey, body) // names are `namespace/name`
  for (const body of endpoints) put(`endpoint/${body.name}` as ResourceKey, body)
  for (const [name, body] of Object.entries(addresses)) put(`addresses/${name}` as ResourceKey, body)
  for (const [name, body] of Object.entries(secrets)) put(`secret/${name}` as ResourceKey, body)
  for (const [name, body] of Object.entries(artefacts)) put(`artefact/${name}` as ResourceKey, body)
  return config
}

/** The request path on a free loopback port, until the test ends. */
export async function dataPath(
  t: TestContext,
  parts?: Parts,
  options: { bodyLimit?: number; environment?: Readonly<Record<string, string>> } = {},
) {
  const telemetry = new Recorder()
  const path = new DataPath({
    telemetry,
    passThrough: (deps) => new PassThroughProxy(deps),
    bodyLimit: 50 * 1024 * 1024,
    environment: {},
    ...options,
  })
  const port = await path.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    path.traffic.closeAllConnections()
    await path.drain()
  })
  const apply = (next: Parts) => path.configuration.apply(compiled(next))
  if (parts) {
    const problems = apply(parts)
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
  }
  return { path, telemetry, port, url: `http://127.0.0.1:${port}`, apply }
}
