import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import { isLoopback } from '../../operator/compile/loopback.ts'
import { startMock } from '../mock/server.ts'
import type { Mock } from '../mock/server.ts'

/** Simulated model servers at the loopback addresses of endpoints, one for each address, for as long as an endpoint names it. */
export class Mocks {
  readonly #running = new Map<string, Promise<Mock | undefined>>()
  readonly #failed: (message: string) => void

  /** `failed` hears of an address that something else listens on: that is what will be asked, then. */
  constructor(failed: (message: string) => void) {
    this.#failed = failed
  }

  /** Starts and ends them as the endpoints have it now; resolves with what runs, `NAME on URL`. */
  async follow(endpoints: Iterable<ModelEndpoint>): Promise<readonly string[]> {
    const wanted = new Map<string, ModelEndpoint>()
    for (const endpoint of endpoints) {
      const url = endpoint.spec.address?.url
      // Each endpoint at an address of its own: the first to name one gives the mock its name.
      if (url === undefined || !isLoopback(url) || new URL(url).protocol !== 'http:') continue
      const { origin } = new URL(url)
      if (!wanted.has(origin)) wanted.set(origin, endpoint)
    }
    for (const [origin, running] of this.#running) {
      if (wanted.has(origin)) continue
      this.#running.delete(origin)
      await (await running)?.close()
    }
    for (const [origin, endpoint] of wanted)
      if (!this.#running.has(origin)) this.#running.set(origin, this.#start(origin, endpoint))
    const all = await Promise.all(this.#running.values())
    return all.flatMap((mock) => (mock ? [`${mock.name} on ${mock.url}`] : []))
  }

  async close(): Promise<void> {
    await this.follow([])
  }

  async #start(origin: string, { metadata, spec }: ModelEndpoint): Promise<Mock | undefined> {
    const { hostname, port } = new URL(origin)
    const models = spec.models?.map(({ name }) => name) ?? []
    try {
      return await startMock({
        name: metadata.name,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: Number(port || 80),
        models: models.includes('*') ? [] : models,
        echo: spec.provider.type === 'HTTP',
      })
    } catch (error) {
      this.#failed(`No simulated model at ${origin}: ${error instanceof Error ? error.message : String(error)}.`)
      return undefined
    }
  }
}
