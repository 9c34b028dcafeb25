import type { Api, Passage } from './wire.ts'

/** One of the two upstreams that traffic is split over. */
export interface Target {
  readonly port: number
  readonly weight: number
}

/** What a system is started with; everything listens on 127.0.0.1. */
export interface Deployment {
  /** Its own, for its configuration and its logs. */
  readonly directory: string
  readonly port: number
  readonly adminPort: number
  readonly metricsPort: number
  readonly targets: readonly [Target, Target]
  /** Routes in its configuration; the first is the one that is asked for. */
  readonly routes: number
}

/** How to start it. */
export interface Launch {
  /** The program and its arguments; undefined for no proxy at all. */
  readonly command: readonly string[] | undefined
  readonly environment?: Readonly<Record<string, string>>
  /** Where requests go. */
  readonly port: number
  /** What a client must send to be served, by what the upstream speaks. */
  readonly headers: Readonly<Record<Api, Readonly<Record<string, string>>>>
  /** The whole configuration, for printing. */
  readonly config: string
}

/** For systems that ask nothing of their clients. */
export const noHeaders = { openai: {}, anthropic: {} } as const

/** A proxy that is measured. */
export interface System {
  readonly name: string
  /** What is switched on, in words. */
  readonly features: string
  /** Whether it serves callers of the one API from an upstream of the other; undefined: bytes of any one API. */
  readonly carries?: (passage: Passage) => boolean
  /** The version that is installed; installs it where it can. Throws with the reason why it cannot be had here. */
  readonly install: () => Promise<string>
  /** Writes its configuration below the deployment's directory. */
  readonly prepare: (deployment: Deployment) => Launch | Promise<Launch>
  /** What shows that the features are on: a line of its access log, an excerpt of its metrics. Asked while it runs, after load. */
  readonly evidence: (deployment: Deployment) => Promise<string>
}
