import { openaiErrors } from './openai-error.ts'
import type { Found, Surface } from './surface.ts'

/** https://platform.openai.com/docs/guides/realtime-websocket: a WebSocket, whose messages pass between caller and provider unseen. */
export const realtime = {
  name: 'realtime',
  operation: 'realtime',
  paths: [],
  // What flows has no end to wait for, and nothing of it can be asked for again: it is no streamed answer.
  reads: () => ({ fields: [], model: undefined, stream: false, includeUsage: false, choices: 1 }),
  ...openaiErrors,
} as const satisfies Surface

/**
 * What an upgrade asks for by its path and query (`?model=…`), with the rest of the query; undefined where it is none of this API's, or
 * names no model.
 */
export function realtimeOf(path: string, query: string): { readonly found: Found; readonly query: string } | undefined {
  if (path !== '/v1/realtime' && path !== '/realtime') return undefined
  const parameters = new URLSearchParams(query)
  const model = parameters.get('model')
  if (!model) return undefined
  parameters.delete('model')
  const rest = parameters.toString()
  return { found: { path: '/v1/realtime', method: 'GET', model }, query: rest && `?${rest}` }
}
