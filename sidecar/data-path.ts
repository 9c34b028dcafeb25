import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { AuditDesk } from '../core/audit/desk.ts'
import { Memories } from '../core/bandits/memory.ts'
import type { Deps, Telemetry } from '../core/deps.ts'
import type { Exchange } from '../core/exchange.ts'
import { Recorder } from '../core/evidence/recorder.ts'
import { FeedbackDesk } from '../core/feedback/desk.ts'
import { Guards } from '../core/learning/guards.ts'
import { MirrorDesk } from '../core/mirror/desk.ts'
import { Configuration } from './config.ts'
import { Sweep } from './deadlines.ts'
import { Endpoints } from './endpoints.ts'
import { schemas } from './schemas.ts'
import { Traffic } from './server.ts'
import type { PassThrough } from './server.ts'
import type { Listen } from './settings.ts'

export interface DataPathOptions {
  readonly telemetry: Telemetry
  readonly passThrough: (deps: Deps) => PassThrough
  /** Largest body of a request, bytes. */
  readonly bodyLimit: number
  /** For HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The way of a request through the sidecar, from the port that it comes in on to the connections to endpoints. */
export class DataPath {
  readonly deps: Deps
  readonly configuration: Configuration
  readonly traffic: Traffic
  /** What was learnt under each rule. */
  readonly memories: Memories
  /** What was found of artefacts in service. */
  readonly guards = new Guards()
  /** What became of exchanges, where a rule asks for it. */
  readonly evidence = new Recorder(randomUUID)
  private readonly audits = new AuditDesk()
  private readonly mirrors: MirrorDesk

  constructor({ telemetry, passThrough, bodyLimit, environment }: DataPathOptions) {
    const now = () => performance.now()
    const deps: Deps = {
      now,
      wall: () => Date.now(),
      random: () => Math.random(),
      sleep: pause,
      deadlines: new Sweep(now),
      telemetry,
      schemas,
      memories: (this.memories = new Memories(randomUUID)),
      guards: this.guards,
      audits: this.audits,
      mirrors: (this.mirrors = new MirrorDesk({ now, soon: setImmediate })),
      evidence: this.evidence,
      feedback: new FeedbackDesk(this.memories, (outcome) => telemetry.fedBack?.(outcome), this.evidence),
    }
    this.deps = deps
    this.configuration = new Configuration(deps, new Endpoints(deps, environment))
    const runtime = () => this.configuration.runtime
    this.traffic = new Traffic({ deps, runtime, bodyLimit, passThrough: passThrough(deps) })
  }

  /** Resolves with the port, once requests can come. */
  async listen({ host, port }: Listen): Promise<number> {
    const { server } = this.traffic
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    return (server.address() as AddressInfo).port // it listens on a port, not on a pipe
  }

  /** Takes no new connections, and resolves when what is in flight has been answered. */
  async drain(): Promise<void> {
    this.audits.close()
    this.mirrors.close()
    await this.traffic.drain()
    this.configuration.close()
  }
}

/** A back-off, which ends when the exchange does. */
async function pause(ms: number, exchange: Exchange): Promise<void> {
  const leaving = new AbortController()
  exchange.wait({ cancel: () => leaving.abort() })
  try {
    await wait(ms, undefined, { signal: leaving.signal })
  } catch (error) {
    if (!leaving.signal.aborted) throw error
  } finally {
    exchange.wait(undefined)
  }
}
