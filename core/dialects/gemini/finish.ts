import type { FinishReason } from '../../chat.ts'

/**
 * Why an answer ended: https://ai.google.dev/api/generate-content#FinishReason and
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#FinishReason. `STOP` becomes `tool_calls`
 * where a function was called: Google has no word for that.
 */
const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['STOP', 'stop'],
  ['NO_IMAGE', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['CONTINUATION', 'length'],
])

/** What the model made is no answer; asked again it may well be. */
const failures: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'MALFORMED_RESPONSE',
  'TOO_MANY_TOOL_CALLS',
])

/** The reason in our words, or why there is no answer: the error as Google would have worded it, as JSON text. */
export function finishOf(
  reason: string,
  message: string | undefined,
  called: boolean,
): { readonly reason: FinishReason } | { readonly error: string } {
  if (failures.has(reason)) return { error: failure(500, 'INTERNAL', reason, message) }
  // Of the request, and the same each time.
  if (reason === 'MISSING_THOUGHT_SIGNATURE') return { error: failure(400, 'INVALID_ARGUMENT', reason, message) }
  // SAFETY, RECITATION, LANGUAGE, BLOCKLIST, PROHIBITED_CONTENT, SPII, IMAGE_…, MODEL_ARMOR, OTHER, and whatever comes to be added:
  // something else than the model ended the answer, and nobody is to take it for a whole one.
  const known = reasons.get(reason) ?? 'content_filter'
  return { reason: known === 'stop' && called ? 'tool_calls' : known }
}

function failure(code: number, status: string, reason: string, message: string | undefined): string {
  return JSON.stringify({
    error: {
      code,
      message: message ?? `The model’s answer ended with ${reason}.`,
      status,
      details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'generativelanguage.googleapis.com' },
      ],
    },
  })
}

/** The words for a caller. */
export const finishWords: Readonly<Record<FinishReason, string>> = {
  stop: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
}
