import { parse } from '../../api/parse.ts'
import type { CompiledConfig } from '../../api/compiled.ts'
import type { Nack } from '../../api/protocol.ts'
import { Compiler } from '../../operator/compile/compiler.ts'
import type { Channel } from '../../operator/channel.ts'
import type { Push } from '../../operator/push.ts'
import type { ArtefactView, PodView, World } from '../../operator/world.ts'
import { Follower, NOTHING } from '../../sidecar/follower.ts'
import type { Held } from '../../sidecar/follower.ts'

/** A world that a test edits in place. */
export class TestWorld implements World {
  readonly routes = new Map()
  readonly endpoints = new Map()
  readonly invalid = new Map()
  readonly secrets = new Map()
  readonly artefacts = new Map<string, ArtefactView>()
  readonly services = new Map()
  readonly slices = new Map()
  readonly pods = new Map<string, PodView>()
  readonly namespaces = new Map()
  readonly compiler = new Compiler({ allowLoopback: true })
  #generation = 0

  /** Puts an object of ours, parsed and numbered; undefined removes it. */
  put(kind: 'ModelRoute' | 'ModelEndpoint', name: string, spec: object | undefined): void {
    const map = kind === 'ModelRoute' ? this.routes : this.endpoints
    const [namespace, own] = name.split('/')
    if (!spec) return void map.delete(name)
    const parsed = parse({ apiVersion: 'tradewind.dev/v1alpha1', kind, metadata: { namespace, name: own }, spec })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    const metadata = { ...parsed.object.metadata, uid: name, generation: ++this.#generation }
    map.set(name, { ...parsed.object, metadata })
  }

  endpoint(name: string, rest: object = {}): void {
    this.put('ModelEndpoint', name, {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `http://${name.replace('/', '.')}.example/v1` },
      models: [{ name: 'm' }],
      ...rest,
    })
  }

  route(name: string, model: string, targets: Readonly<Record<string, number>>, rest: object = {}): void {
    const rules = [
      { targets: Object.entries(targets).map(([endpoint, weight]) => ({ endpoint: { name: endpoint }, weight })) },
    ]
    this.put('ModelRoute', name, { models: [model], rules, ...rest })
  }

  pod(name: string, labels: Readonly<Record<string, string>> = {}): void {
    const [namespace = '', own = ''] = name.split('/')
    this.pods.set(name, {
      namespace,
      name: own,
      uid: name,
      labels,
      injected: true,
      running: true,
      ready: true,
      terminating: false,
      ips: [],
    })
  }
}

/** One with an endpoint of namespace `ai` for each simulated server. */
export function worldOf(mocks: Readonly<Record<string, { readonly url: string }>>): TestWorld {
  const world = new TestWorld()
  for (const [name, { url }] of Object.entries(mocks))
    world.endpoint(`ai/${name}`, { address: { type: 'URL', url: `${url}/v1` } })
  return world
}

/** A sidecar's end without a data path, on a connection that a test can hold up, cut, or listen to. */
export class TestSidecar {
  readonly follower: Follower
  /** Configurations that were put in force, one for each update. */
  readonly applied: CompiledConfig[] = []
  /** Messages of the operator, as they came. */
  readonly heard: string[] = []
  /** Why an update is refused; undefined takes it. */
  refuse: ((config: CompiledConfig) => Nack['errors'] | undefined) | undefined
  closed: { readonly code: number; readonly reason: string } | undefined
  /** While it is set, nothing is handed over to the sidecar. */
  held = false
  bytes = 0
  readonly #waiting: string[] = []
  #close: ((code: number, reason: string) => void) | undefined

  constructor(has: Held = NOTHING) {
    const apply = (config: CompiledConfig) => {
      const errors = this.refuse?.(config) ?? []
      if (errors.length === 0) this.applied.push(config)
      return errors
    }
    this.follower = new Follower({ apply, wall: () => 1 }, has)
  }

  /** Connects as the sidecar of a pod. */
  connect(
    push: Push,
    name: string,
    labels: Readonly<Record<string, string>> = {},
    tamper = (text: string) => text,
  ): void {
    const [namespace = '', pod = ''] = name.split('/')
    this.closed = undefined
    let heard: (text: string) => void = () => {}
    const channel: Channel = {
      send: (text) => {
        if (this.closed) return
        this.bytes += text.length
        this.heard.push(text)
        this.#waiting.push(text)
        if (!this.held) this.release()
      },
      close: (code, reason) => this.#end(code, reason),
      buffered: () => this.#waiting.reduce((sum, text) => sum + text.length, 0),
      onMessage: (listener) => (heard = listener),
      onClose: (listener) => (this.#close = listener),
    }
    push.attach(channel, { namespace, pod, uid: name, labels, serviceAccount: 'default' })
    this.follower.open((text) => heard(tamper(text)))
  }

  /** Hands over what was held up, oldest first. */
  release(count = Infinity): void {
    for (let i = 0; i < count; i++) {
      const text = this.#waiting.shift()
      if (text === undefined || this.closed) return
      this.follower.hear(text)
    }
  }

  /** The connection breaks. */
  cut(): void {
    this.#end(1006, 'cut')
  }

  /** How many updates it was sent. */
  get updates(): readonly { readonly set: Readonly<Record<string, unknown>>; readonly remove: readonly string[] }[] {
    return this.heard.map((text) => JSON.parse(text)).filter(({ type }) => type === 'update')
  }

  #end(code: number, reason: string): void {
    if (this.closed) return
    this.closed = { code, reason }
    this.#waiting.length = 0
    this.follower.close()
    this.#close?.(code, reason)
  }
}
