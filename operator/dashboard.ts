import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'
import express, { type Router } from 'express'
import { dashboardFiles } from './dashboard-files.ts'

/** A file as it is served. */
export interface Asset {
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * What the page may do: run its own scripts, which never make HTML of text, and speak to its own origin; nothing is inline, nobody may frame
 * it (Content Security Policy Level 3, Trusted Types).
 */
const POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`),
  ...['base-uri', 'form-action', 'frame-ancestors'].map((kind) => `${kind} 'none'`),
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // Asked for again each time, and not sent again where it is the same.
  'cache-control': 'no-cache',
} as const

/** The dashboard's files by path: the page at `/`, what belongs to it below `/assets/`. */
export function dashboardAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    Object.entries(dashboardFiles()).map(([name, text]) => [
      name === 'index.html' ? '/' : `/assets/${name}`,
      { text, headers: { ...HEADERS, 'content-type': TYPES[extname(name)] ?? 'text/plain' } },
    ]),
  )
}

/** Serves the dashboard to anybody who asks: there is nothing in it but what the program is made of. What it shows takes a token. */
export function dashboard(): Router {
  const router = express.Router()
  for (const [path, { text, headers }] of dashboardAssets()) {
    const zipped = gzipSync(text, { level: 9 })
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
    router.get(path, (request, response) => {
      response.set({ ...headers, etag, vary: 'accept-encoding' })
      if (request.headers['if-none-match'] === etag) response.status(304).end()
      else if (request.acceptsEncodings('gzip')) response.set('content-encoding', 'gzip').send(zipped)
      else response.send(text)
    })
  }
  return router
}
