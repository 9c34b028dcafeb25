import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { Agent, request as send } from 'undici'

/** Says that a replica has passed a request on, so that it goes no further. */
const PASSED = 'x-tradewind-passed'
const PATIENCE = 10_000
/** Longer than a stream is ever silent: it says every 15 s that it lives. */
const SILENCE = 45_000

/** The way to another replica. */
export interface Way {
  /** `host:port`. */
  readonly address: string
  /** The roots that its certificate is checked by, PEM, and the name in it. */
  readonly trusted: string
  readonly serverName: string
}

/** Whether another replica has passed the request on. */
export const isPassedOn = (request: Request): boolean => request.headers[PASSED] !== undefined

/**
 * Has another replica answer, as it answers: streams too, for as long as both ends are there. Rejects where that replica cannot be asked
 * and nothing was answered yet.
 */
export async function passOn(way: Way, request: Request, response: Response): Promise<void> {
  const agent = new Agent({ connect: { ca: way.trusted, servername: way.serverName } })
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  try {
    const { authorization = '' } = request.headers
    const sent: unknown = request.body
    const { statusCode, headers, body } = await send(`https://${way.address}${request.originalUrl}`, {
      dispatcher: agent,
      method: request.method === 'POST' ? 'POST' : 'GET',
      headers: {
        authorization,
        [PASSED]: 'true',
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: sent === undefined ? null : JSON.stringify(sent),
      headersTimeout: PATIENCE,
      bodyTimeout: SILENCE,
      signal: gone.signal,
    })
    response.status(statusCode)
    for (const name of ['content-type', 'cache-control', 'x-accel-buffering', 'x-content-type-options']) {
      const value = headers[name]
      if (typeof value === 'string') response.setHeader(name, value)
    }
    response.flushHeaders()
    await pipeline(body, response)
  } catch (error) {
    // One end has gone in the middle: there is nobody to tell.
    if (!response.headersSent && !response.destroyed) throw error
  } finally {
    await agent.destroy()
  }
}
