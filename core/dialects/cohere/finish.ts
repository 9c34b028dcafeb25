import type { FinishReason } from '../../chat.ts'

/** https://docs.cohere.com/reference/chat: `finish_reason`. */
const canonical: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['COMPLETE', 'stop'],
  ['STOP_SEQUENCE', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['ERROR_LIMIT', 'length'], // the context is full
  ['TOOL_CALL', 'tool_calls'],
  ['ERROR_TOXIC', 'content_filter'],
])

/** Reasons that are none: the answer failed. With the HTTP status that says the same. */
const failures: ReadonlyMap<string, number> = new Map([
  ['ERROR', 500],
  ['TIMEOUT', 504],
])

/** What ended an answer; an unknown reason is an end like any other. Undefined where it failed, see `failureOf`. */
export function finishOf(reason: string): FinishReason | undefined {
  return failures.has(reason) ? undefined : (canonical.get(reason) ?? 'stop')
}

/** The error, as JSON text, that stands for a reason which is none. */
export function failureOf(reason: string, words?: string): string {
  return JSON.stringify({
    message: words ?? `The generation ended with ${reason}.`,
    status: failures.get(reason) ?? 500,
  })
}

/** Cohere's word for what ended an answer; it has none for a content filter but that there was an error. */
export function finishReason(reason: FinishReason, stopSequence: string | undefined): string {
  switch (reason) {
    case 'stop':
      return stopSequence === undefined ? 'COMPLETE' : 'STOP_SEQUENCE'
    case 'length':
      return 'MAX_TOKENS'
    case 'tool_calls':
      return 'TOOL_CALL'
    case 'content_filter':
      return 'ERROR'
  }
}
