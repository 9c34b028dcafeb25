import { Agent, request } from 'undici'
import type { ApiServer } from './envtest.ts'

/** An answer of the API server. */
export interface Answer {
  readonly status: number
  /** The object, or a `metav1.Status`. */
  readonly body: unknown
}

/** Asks the API server as an administrator, over one connection for all requests; `close` when done. */
export class Asker {
  readonly #server: ApiServer
  readonly #agent: Agent
  constructor(server: ApiServer) {
    this.#server = server
    this.#agent = new Agent({ connect: { ca: server.ca } })
  }
  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    const answer = await request(`${this.#server.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#server.config.getCurrentUser()?.token}`,
        'content-type': 'application/json',
      },
      body: body === undefined ? null : JSON.stringify(body),
    })
    return { status: answer.statusCode, body: await answer.body.json() }
  }
  close(): Promise<void> {
    return this.#agent.close()
  }
}
