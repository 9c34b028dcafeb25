import { Loop } from '../../operator/loop.ts'
import type { LoopHooks } from '../../operator/loop.ts'
import { DirectorySource } from '../../operator/source/directory.ts'
import type { DirectoryOptions } from '../../operator/source/directory.ts'
import type { Follower } from '../../sidecar/follower.ts'
import type { Log } from '../../sidecar/log.ts'
import type { Settings } from '../../sidecar/settings.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import type { Link } from '../../sidecar/sidecar.ts'
import type { Happening } from '../../core/rollout/happenings.ts'
import { EXPERIMENTS_PATH, experimentsOf } from '../../operator/experiment-api.ts'
import { Experiments } from '../../operator/experiments.ts'
import { Rollouts } from '../../operator/rollouts.ts'
import { told } from '../../operator/told.ts'
import { Watch } from '../../operator/watch.ts'
import { pair } from './pair.ts'
import { dashboardPages } from './dashboard-pages.ts'
import { rolloutPages } from './rollout-pages.ts'
import { localPod, namespaceOf, withExperiments, withPod, withRollouts } from './source.ts'

export interface LocalOptions extends DirectoryOptions {
  readonly directory: string
  /** Of the sidecar; what is about an operator elsewhere is left out. */
  readonly settings: Omit<Settings, 'operator' | 'stateDir'>
  /** Of the pod that is played; left out: that of the routes. */
  readonly namespace?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly log: Log
  readonly hooks: LoopHooks
  /** Hears of what happens to rollouts and experiments; `route`: `namespace/name`. */
  readonly happened?: (route: string, happening: Happening) => void
}

/** A running operator and sidecar. */
export interface Local {
  readonly source: DirectorySource
  readonly loop: Loop
  readonly rollouts: Rollouts
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
  const tried = withExperiments(withPod(source, pod))
  const decided = withRollouts(tried.source)
  const late: { rollouts?: Rollouts; experiments?: Experiments; watch?: Watch } = {}
  const loop = new Loop(decided.source, {
    now: () => performance.now(),
    allowLoopback: true,
    hooks: {
      ...options.hooks,
      compiled(compiled, ms) {
        options.hooks.compiled?.(compiled, ms)
        late.rollouts?.compiled(compiled)
        late.experiments?.compiled(compiled)
        late.watch?.changed()
      },
      changed(concerned) {
        options.hooks.changed?.(concerned)
        late.rollouts?.fleetChanged()
        late.watch?.changed()
      },
    },
  })
  const rollouts = (late.rollouts = new Rollouts({
    store: decided.store,
    world: () => decided.source.world(),
    compiled: () => loop.compiled,
    fleet: () => loop.push.fleet(),
    evidence: loop.evidence,
    wall: () => Date.now(),
    happened: (route, _, happening) => options.happened?.(route, happening),
    failed: (_, error) => options.hooks.failed?.(error),
  }))
  const experiments = (late.experiments = new Experiments({
    store: tried.store,
    world: () => decided.source.world(),
    compiled: () => loop.compiled,
    evidence: loop.evidence,
    wall: () => Date.now(),
    happened: (route, _, happening) => options.happened?.(route, happening),
    failed: (_, error) => options.hooks.failed?.(error),
  }))
  const state = told({
    compiled: () => loop.compiled,
    fleet: () => loop.push.fleet(),
    rollouts,
    experiments,
    totals: loop.totals,
  })
  const watch = (late.watch = new Watch({ now: () => performance.now(), state }))
  rollouts.onChange(() => watch.changed())
  experiments.onChange(() => watch.changed())
  rollouts.lead({ leading: true, epoch: 0 })
  experiments.lead({ leading: true })
  const end = async () => {
    watch.end('The run ends.')
    rollouts.close()
    experiments.close()
    await loop.stop()
  }
  await loop.start()
  try {
    const sidecar = await startSidecar(
      { ...settings, operator: undefined, stateDir: undefined },
      options.environment,
      log,
      {
        link: (follower) => linkTo(loop, follower, { ...pod, pod: pod.name, serviceAccount: 'default' }),
        pages: {
          ...dashboardPages(
            () => loop.compiled,
            () => loop.push.fleet(),
            loop.totals,
          ),
          ...rolloutPages(rollouts, watch),
          [`GET ${EXPERIMENTS_PATH}`]: ({ query }) => ({
            body: experimentsOf(experiments, query.get('namespace') ?? undefined),
          }),
        },
        reportEvery: REPORT_EVERY,
      },
    )
    const stop = async () => {
      watch.end('The run ends.')
      await sidecar.stop()
      await end()
    }
    const url = at(settings.listen.host, sidecar.ports.traffic)
    return { source, loop, rollouts, pod, url, admin: at(settings.admin.host, sidecar.ports.admin), stop }
  } catch (error) {
    await end()
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

const at = (host: string, port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`
