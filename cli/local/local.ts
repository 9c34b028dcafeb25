import { Loop } from '../../operator/loop.ts'
import type { LoopHooks } from '../../operator/loop.ts'
import { overview, OVERVIEW_PATH } from '../../operator/overview.ts'
import { DirectorySource } from '../../operator/source/directory.ts'
import type { DirectoryOptions } from '../../operator/source/directory.ts'
import type { Follower } from '../../sidecar/follower.ts'
import type { Log } from '../../sidecar/log.ts'
import type { Settings } from '../../sidecar/settings.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import type { Link } from '../../sidecar/sidecar.ts'
import { pair } from './pair.ts'
import { localPod, namespaceOf, withPod } from './source.ts'

export interface LocalOptions extends DirectoryOptions {
  readonly directory: string
  /** Of the sidecar; what is about an operator elsewhere is left out. */
  readonly settings: Omit<Settings, 'operator' | 'stateDir'>
  /** Of the pod that is played; left out: that of the routes. */
  readonly namespace?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly log: Log
  readonly hooks: LoopHooks
}

/** A running operator and sidecar. */
export interface Local {
  readonly source: DirectorySource
  readonly loop: Loop
  readonly pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  /** Where requests go, without a path. */
  readonly url: string
  readonly admin: string
  /** Answers what is in flight, and resolves when nothing is left open. */
  stop(): Promise<void>
}

/** How often the sidecar tells what it has seen, ms: nobody else is kept busy by it here. */
const REPORT_EVERY = 1000

/** Starts operator and sidecar in this process, over a directory of manifests. Resolves when requests are answered. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { directory, log, settings } = options
  // Read once for its namespace alone; the loop reads it again, and goes on.
  const first = new DirectorySource(directory, { environment: options.environment })
  await first.start(() => {})
  await first.stop()
  const pod = localPod(options.namespace ?? namespaceOf(first.world()), options.labels)

  const source = new DirectorySource(directory, options)
  const loop = new Loop(withPod(source, pod), {
    now: () => performance.now(),
    allowLoopback: true,
    hooks: options.hooks,
  })
  await loop.start()
  try {
    const sidecar = await startSidecar(
      { ...settings, operator: undefined, stateDir: undefined },
      options.environment,
      log,
      {
        link: (follower) => linkTo(loop, follower, { ...pod, pod: pod.name, serviceAccount: 'default' }),
        pages: { [`GET ${OVERVIEW_PATH}`]: () => ({ body: told(loop) }) },
        reportEvery: REPORT_EVERY,
      },
    )
    const stop = async () => {
      await sidecar.stop()
      await loop.stop()
    }
    const url = at(settings.listen.host, sidecar.ports.traffic)
    return { source, loop, pod, url, admin: at(settings.admin.host, sidecar.ports.admin), stop }
  } catch (error) {
    await loop.stop()
    throw error
  }
}

function linkTo(loop: Loop, follower: Follower, identity: Parameters<Loop['push']['attach']>[1]): Link {
  return {
    connected: true,
    start() {
      const { channel, open } = pair(follower)
      loop.push.attach(channel, identity)
      open()
    },
    stop: () => follower.close(),
  }
}

function told(loop: Loop): object {
  return loop.compiled ? overview(loop.compiled, loop.push.fleet(), () => true) : {}
}

const at = (host: string, port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`
