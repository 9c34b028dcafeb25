import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** What a page gives: an object as JSON, a string as text, with status 200 unless it says otherwise. */
export interface Answer {
  readonly status?: number
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Asked {
  readonly query: URLSearchParams
  readonly body: string
}

/** By method and path, such as `GET /config`. */
export type Pages = Readonly<Record<string, (asked: Asked) => Answer | Promise<Answer>>>

const LARGEST_BODY = 1024 * 1024

/** A small server of pages for people and probes. Express would cost each pod 3 MB and its start 40 ms. */
export function jsonServer(
  pages: Pages,
  admit: (request: IncomingMessage) => string | undefined = () => undefined,
): Server {
  return createServer((request, response) => {
    const why = admit(request)
    if (why !== undefined) return write(response, problem(403, why))
    answer(pages, request).then(
      (found) => write(response, found),
      (error: unknown) => write(response, problem(500, error instanceof Error ? error.message : String(error))),
    )
  })
}

/** An answer that says what is wrong. */
export function problem(status: number, message: string): Answer {
  return { status, body: { error: { message } } }
}

async function answer(pages: Pages, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
  const name = `${method} ${pathname}`
  const page = Object.hasOwn(pages, name) ? pages[name] : undefined
  if (page) return page({ query: searchParams, body: await read(request) })
  const methods = Object.keys(pages).flatMap((it) => (it.endsWith(` ${pathname}`) ? it.split(' ', 1) : []))
  if (methods.length > 0)
    return { ...problem(405, `It takes ${methods.join(' and ')}.`), headers: { allow: methods.join(', ') } }
  return problem(404, `There is: ${Object.keys(pages).join(', ')}.`)
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > LARGEST_BODY) throw new Error('the body is too large')
  }
  return text
}

function write(response: ServerResponse, { status = 200, body, headers = {} }: Answer): void {
  const json = typeof body !== 'string'
  const text = json ? `${JSON.stringify(body, undefined, 2)}\n` : body
  response.writeHead(status, {
    'content-type': json ? 'application/json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}
