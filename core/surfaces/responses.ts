import { responsesCaller } from '../dialects/responses/caller.ts'
import { beginsForeign, readResponse, ResponsesReader } from '../dialects/responses/read-stream.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/responses */
export const responses = {
  name: 'responses',
  operation: 'responses',
  paths: ['/v1/responses'],
  chat: responsesCaller,
  watch: { framing: 'sse', reader: () => new ResponsesReader(), read: readResponse, foreign: beginsForeign },
  error: openaiErrors.error,
  // A stream that passes has numbers of its own, which nobody counted: the event is the last, and raised before its number is looked at.
  errorEvent({ code, entry }, words, requestId) {
    const error = { type: entry.type, code, message: words, param: null }
    const event = { type: 'error', sequence_number: 0, code, message: words, param: null, error, request_id: requestId }
    return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`)
  },
} as const satisfies Surface
