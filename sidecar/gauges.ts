import type { Endpoint } from '../core/target.ts'
import type { ArtefactView } from './artefacts.ts'
import { faultsOf } from './fault-watch.ts'
import type { WatchedFault } from './fault-watch.ts'
import { inForce } from '../core/faults/fault.ts'
import type { Configuration } from './config.ts'

/** How things stand, at the moment that somebody asks. */
export interface Gauges {
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** Routes in force, with the generation of each. */
  readonly routes: ReadonlyMap<string, number>
  /** Digest of the whole configuration. */
  readonly digest: string
  /** Milliseconds since it came into force; undefined before the first. */
  readonly age: number | undefined
  /** What routes decide by. */
  readonly artefacts: readonly ArtefactView[]
  /** What the configuration has injected, and whether it is at the moment. */
  readonly faults: readonly (WatchedFault & { readonly active: boolean })[]
  readonly connected: boolean
  readonly linesDropped: number
  /** Lines of the decision log, by where they were to go. */
  readonly decisionsDropped: ReadonlyMap<string, number>
}

/** What a configuration says of itself; `wall` in ms since the epoch. */
export function gaugesOf(
  configuration: Configuration,
  wall: number,
  artefacts: () => readonly ArtefactView[],
  rest: Pick<Gauges, 'connected' | 'linesDropped' | 'decisionsDropped'>,
): Gauges {
  const { config, digest, since } = configuration.current()
  return {
    endpoints: configuration.runtime?.endpoints ?? new Map(),
    // Worked out only for who asks: a traced request looks at the endpoints alone.
    get routes() {
      return new Map(
        [...config.values()].flatMap(({ body }) => ('rules' in body ? [[body.name, body.generation] as const] : [])),
      )
    },
    get faults() {
      return faultsOf(config).map((fault) => ({ ...fault, active: inForce(fault, wall) }))
    },
    get artefacts() {
      return artefacts()
    },
    digest,
    age: configuration.runtime ? wall - since : undefined,
    ...rest,
  }
}
