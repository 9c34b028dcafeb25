import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** What a page gives: an object as JSON, a string as text, with status 200 unless it says otherwise. */
export interface Answer {
  readonly status?: number
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a page gives that goes on telling: it writes the answer itself, for as long as the other end is there. */
export interface Told {
  readonly tell: (response: ServerResponse) => void
}

export interface Asked {
  /** As it came, still encoded. */
  readonly path: string
  readonly query: URLSearchParams
  /** Without its parameters; empty where none was said. */
  readonly contentType: string
  readonly body: string
}

/** By method and path, such as `GET /config`; `GET /config/*` is all that is below, where nothing else is. */
export type Pages = Readonly<Record<string, (asked: Asked) => Answer | Told | Promise<Answer>>>

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
      (found) => {
        if ('tell' in found) found.tell(response)
        else write(response, found)
      },
      (error: unknown) => write(response, problem(500, error instanceof Error ? error.message : String(error))),
    )
  })
}

/** An answer that says what is wrong. */
export function problem(status: number, message: string): Answer {
  return { status, body: { error: { message } } }
}

async function answer(pages: Pages, request: IncomingMessage): Promise<Answer | Told> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
  const names = Object.keys(pages).filter((name) => covers(name.slice(name.indexOf(' ') + 1), pathname))
  const name = names.find((it) => it === `${method} ${pathname}`) ?? names.find((it) => it.startsWith(`${method} `))
  const page = name === undefined ? undefined : pages[name]
  const [contentType = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(/\s*;/, 1)
  if (page) return page({ path: pathname, query: searchParams, contentType, body: await read(request) })
  const methods = [...new Set(names.map((it) => it.slice(0, it.indexOf(' '))))]
  if (methods.length > 0)
    return { ...problem(405, `It takes ${methods.join(' and ')}.`), headers: { allow: methods.join(', ') } }
  return problem(404, `There is: ${Object.keys(pages).join(', ')}.`)
}

/** Whether a page is what lies at a path. */
function covers(page: string, path: string): boolean {
  return page === path || (page.endsWith('/*') && path.startsWith(page.slice(0, -1)))
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
