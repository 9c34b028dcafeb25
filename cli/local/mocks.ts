import type { CompiledAddresses, CompiledEndpoint, CompiledSecret } from '../../api/compiled.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import { keyOf } from '../../operator/compile/resource.ts'
import { isLoopback } from '../../operator/compile/loopback.ts'
import { startMock } from '../mock/server.ts'
import type { Mock, MockOptions } from '../mock/server.ts'
import { simulationOf } from './simulated.ts'

/** Simulated model servers at the loopback addresses of endpoints, one for each address, for as long as an endpoint names it. */
export class Mocks {
  readonly #running = new Map<string, { readonly options: string; readonly mock: Promise<Mock | undefined> }>()
  readonly #failed: (message: string) => void
  #following: Promise<unknown> = Promise.resolve()

  /** `failed` hears of an address that something else listens on: that is what will be asked, then. */
  constructor(failed: (message: string) => void) {
    this.#failed = failed
  }

  /** Starts and ends them as the endpoints have it now; resolves with what runs, `NAME on URL`. */
  async follow(compiled: Pick<Compiled, 'endpoints' | 'resources'>): Promise<readonly string[]> {
    const wanted = new Map(wantedOf(compiled))
    const next = this.#following.then(() => this.#settle(wanted))
    this.#following = next
    return next
  }

  async close(): Promise<void> {
    await this.follow({ endpoints: new Map(), resources: new Map() })
  }

  async #settle(wanted: ReadonlyMap<string, MockOptions>): Promise<readonly string[]> {
    for (const [address, { options, mock }] of this.#running) {
      if (JSON.stringify(wanted.get(address)) === options) continue
      this.#running.delete(address)
      await (await mock)?.close()
    }
    for (const [address, options] of wanted)
      if (!this.#running.has(address))
        this.#running.set(address, { options: JSON.stringify(options), mock: this.#start(address, options) })
    const all = await Promise.all([...this.#running.values()].map(({ mock }) => mock))
    return all.flatMap((mock) => (mock ? [`${mock.name} on ${mock.url}`] : []))
  }

  async #start(address: string, options: MockOptions): Promise<Mock | undefined> {
    try {
      return await startMock(options)
    } catch (error) {
      this.#failed(`No simulated model at ${address}: ${error instanceof Error ? error.message : String(error)}.`)
      return undefined
    }
  }
}

/** One for each loopback address; the first endpoint to name it gives it its name, its models and the key that it demands. */
function* wantedOf({
  endpoints,
  resources,
}: Pick<Compiled, 'endpoints' | 'resources'>): Generator<[string, MockOptions]> {
  const seen = new Set<string>()
  for (const name of [...endpoints.keys()].sort()) {
    const endpoint = resources.get(keyOf('endpoint', name))?.body as CompiledEndpoint | undefined // by its key
    if (!endpoint || !endpoint.url.startsWith('http:')) continue
    const followed = resources.get(keyOf('addresses', name))?.body as CompiledAddresses | undefined // by its key
    const { secret, key = '' } = endpoint.credentials?.secret ?? {}
    const held = secret === undefined ? undefined : resources.get(keyOf('secret', secret))
    const apiKey = (held?.body as CompiledSecret | undefined)?.data[key] // by its key
    const models = endpoint.models.map((model) => model.name)
    for (const { host, port } of followed?.addresses ?? [hostOf(endpoint.url)]) {
      const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
      if (!isLoopback(address) || seen.has(address)) continue
      seen.add(address)
      yield [
        address,
        {
          name: name.slice(name.indexOf('/') + 1),
          host,
          port,
          models: models.includes('*') ? [] : models,
          ...simulationOf(endpoint, apiKey),
        },
      ]
    }
  }
}

function hostOf(url: string): CompiledAddresses['addresses'][number] {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }
}
