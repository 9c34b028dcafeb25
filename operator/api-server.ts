import { request, type Dispatcher } from 'undici'
import { fromPod, type Way } from './way.ts'

/** An answer of the API server that is not a success, with the `reason` and `message` of its `metav1.Status`. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Default `application/json`; a patch says which kind it is. */
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Asks as the bearer of this token instead of ourselves. */
  readonly token?: string
}

/** One event of a watch, as the API server words it. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** The body type of a server-side apply; JSON is YAML. */
const APPLY = 'application/apply-patch+yaml'
const CALL_TIMEOUT = 15_000
/** The server ends a watch after this long, with a bookmark just before, so that the next one resumes from a fresh resourceVersion. */
const WATCH_SECONDS = { least: 40, spread: 15 }

/**
 * Requests to the API server, in its own JSON. client-node's typed clients are not used: they make a new connection pool for every
 * request, and give dates as `Date` in lists and as text in watches.
 */
export class ApiServer {
  readonly #way: Way

  constructor(way: Way) {
    this.#way = way
  }

  /** By `kubeconfig`; where it is undefined, by the pod's ServiceAccount in `serviceAccount`, or outside of a pod as kubectl does. */
  static async connect(kubeconfig: string | undefined, serviceAccount?: string): Promise<ApiServer> {
    if (!kubeconfig && serviceAccount !== undefined && process.env['KUBERNETES_SERVICE_HOST'])
      return new ApiServer(await fromPod(serviceAccount, process.env))
    // Loaded only where it is needed: its package is 50 MB resident.
    const { fromKubeconfig } = await import('./kubeconfig.ts')
    return new ApiServer(await fromKubeconfig(kubeconfig))
  }

  /** Sends one request and resolves with the parsed answer; rejects with an ApiError, or with the network's error. */
  async call<T>(method: Dispatcher.HttpMethod, path: string, call: Call = {}): Promise<T> {
    const timeout = AbortSignal.timeout(CALL_TIMEOUT)
    const { statusCode, body } = await request(this.#url(path, call.query), {
      method,
      dispatcher: call.token === undefined ? this.#way.dispatcher : this.#way.guest,
      headers: {
        ...(await this.#headers(call.token)),
        ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
    })
    const text = await body.text()
    if (statusCode >= 300) throw failure(statusCode, text, `${method} ${path}`)
    return JSON.parse(text) as T // the API server's own types; callers say which
  }

  /** Server-side apply of the fields in `object`, as `manager`, taking them over from others. */
  apply<T>(path: string, object: unknown, manager: string, signal?: AbortSignal): Promise<T> {
    return this.call<T>('PATCH', path, {
      query: { fieldManager: manager, force: true },
      body: object,
      contentType: APPLY,
      ...(signal ? { signal } : {}),
    })
  }

  /** Follows one watch until the server ends it; rejects with what broke it. Bookmarks come too. */
  async watch(
    path: string,
    query: NonNullable<Call['query']>,
    signal: AbortSignal,
    event: (event: WatchEvent) => void,
  ): Promise<void> {
    const timeoutSeconds = WATCH_SECONDS.least + Math.floor(Math.random() * WATCH_SECONDS.spread)
    const { statusCode, body } = await request(
      this.#url(path, { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds }),
      {
        method: 'GET',
        dispatcher: this.#way.dispatcher,
        headers: await this.#headers(),
        signal,
        headersTimeout: CALL_TIMEOUT,
        bodyTimeout: (timeoutSeconds + 10) * 1000, // silence past the server's own end: the connection is dead
      },
    )
    if (statusCode >= 300) throw failure(statusCode, await body.text(), `WATCH ${path}`)
    let rest = ''
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) event(JSON.parse(line) as WatchEvent) // one event a line, by the API's contract
    }
  }

  /** Ends all requests and connections. */
  async close(): Promise<void> {
    await Promise.all([this.#way.dispatcher.destroy(), this.#way.guest.destroy()])
  }

  #url(path: string, query: Call['query'] = {}): string {
    const url = new URL(this.#way.server + path)
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, `${value}`)
    return url.href
  }

  async #headers(token?: string): Promise<Record<string, string>> {
    const authorization = token === undefined ? await this.#way.authorization() : `Bearer ${token}`
    return {
      accept: 'application/json, application/jwk-set+json',
      'user-agent': 'tradewind-operator',
      ...(authorization ? { authorization } : {}),
    }
  }
}

function failure(status: number, text: string, what: string): ApiError {
  let reason = ''
  let message = text.slice(0, 1024)
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) {
      if ('reason' in body && typeof body.reason === 'string') reason = body.reason
      if ('message' in body && typeof body.message === 'string') message = body.message
    }
  } catch {
    // Not a metav1.Status: a proxy in between, say; its text is the message.
  }
  return new ApiError(status, reason, `${what}: ${status} ${message}`)
}

/** Now, as `metav1.MicroTime` is written. */
export function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
