import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Report } from '../../api/protocol.ts'
import { rolloutPages } from '../../cli/local/rollout-pages.ts'
import { dashboardPages } from '../../cli/local/dashboard-pages.ts'
import { Sketch } from '../../core/evidence/sketch.ts'
import { writeSketch } from '../../core/evidence/wire.ts'
import { board } from '../../operator/board/board.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import type { ExperimentView } from '../../operator/experiments.ts'
import { Push } from '../../operator/push.ts'
import type { Totals } from '../../operator/status/mirrors.ts'
import { Watch } from '../../operator/watch.ts'
import { jsonServer } from '../../sidecar/json-server.ts'
import { ScriptedRollouts } from '../helpers/scripted-rollouts.ts'
import { TestSidecar, TestWorld } from '../local/fleet.ts'

/**
 * A dashboard over a world that a test edits: the compile, the push, the watch and the pages are those of a local run; sidecars are ends of
 * channels that report what the test has them report.
 */
export class Stage {
  readonly world = new TestWorld()
  readonly rollouts = new ScriptedRollouts()
  readonly push: Push
  readonly watch: Watch
  experiments: readonly ExperimentView[] = []
  /** What sidecars have counted of the arms of mirrors. */
  totals: Totals = () => undefined
  /** While it is set, nothing is answered. */
  refuse = false
  readonly sidecars = new Map<string, TestSidecar>()
  /** How long each look took, ms. */
  readonly looks: number[] = []
  #compiled: Compiled | undefined
  #server: Server | undefined
  readonly #tell = new Map<string, (report: Report) => void>()

  constructor() {
    this.push = new Push({ now: () => performance.now() }, { changed: () => this.watch.changed() })
    this.watch = new Watch({
      now: () => performance.now(),
      state: (parts) => {
        if (!this.#compiled) return undefined
        const begun = performance.now()
        const told = {
          ...(parts.has('board') ? board(this.#compiled, this.push.fleet()) : {}),
          rollouts: this.rollouts.views(),
          experiments: this.experiments,
        }
        this.looks.push(performance.now() - begun)
        return told
      },
    })
    this.rollouts.onChange(() => this.watch.changed())
  }

  /** Puts what the world says in force. */
  publish(): void {
    this.#compiled = this.world.compiler.compile(this.world)
    this.push.publish(this.#compiled)
    this.watch.changed()
  }

  /** Adds a pod whose sidecar connects. */
  sidecar(name: string, labels: Readonly<Record<string, string>> = {}): TestSidecar {
    this.world.pod(name, labels)
    const sidecar = new TestSidecar()
    this.sidecars.set(name, sidecar)
    return sidecar
  }

  /** Connects all that were added and are not connected. */
  connect(): void {
    for (const [name, sidecar] of this.sidecars) {
      if (this.#tell.has(name)) continue
      let tell: ((text: string) => void) | undefined
      // What it says goes through here: reports are said in between.
      const push = {
        attach: (...[channel, identity]: Parameters<Push['attach']>) =>
          this.push.attach({ ...channel, onMessage: (heard) => channel.onMessage((tell = heard)) }, identity),
      }
      sidecar.connect(push as Push, name, this.world.pods.get(name)?.labels) // it calls this alone
      this.#tell.set(name, (report) => tell?.(JSON.stringify(report)))
    }
  }

  /** Has a sidecar report. `latency`: ms of some of the answers. */
  report(
    pod: string,
    targets: readonly (Omit<Report['targets'][number], 'latency'> & { readonly latency?: readonly number[] })[],
    models: Report['models'] = [],
  ): void {
    this.#tell.get(pod)?.({
      type: 'report',
      window: 1000,
      targets: targets.map(({ latency, ...rest }) => ({ ...rest, ...(latency ? { latency: sketched(latency) } : {}) })),
      models,
      age: 0,
    })
  }

  /** Serves the dashboard on a free port; gives its address. */
  async serve(): Promise<string> {
    const pages = {
      ...dashboardPages(
        () => this.#compiled,
        () => this.push.fleet(),
        (...rule) => this.totals(...rule),
      ),
      ...rolloutPages(this.rollouts, this.watch),
    }
    this.#server = jsonServer(pages).listen(0, '127.0.0.1')
    this.#server.on('request', ({ socket }) => this.refuse && socket.destroy())
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // it listens on a port
  }

  async stop(): Promise<void> {
    this.watch.end('The test is over.')
    this.push.close()
    this.#server?.closeAllConnections()
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()))
  }
}

function sketched(values: readonly number[]): readonly number[] {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return writeSketch(sketch)
}
