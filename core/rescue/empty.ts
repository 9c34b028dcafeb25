import type { Exchange } from '../exchange.ts'
import { record } from '../openai-usage.ts'
import type { Usage } from '../usage.ts'

/** Tokens that an answer without a word may still report: the one that ends it, and what a template adds. */
const HARDLY = 2

/**
 * Whether an answer that ended well without a word is one to ask the next target instead: not where the request itself may be why (a stop
 * sequence, the beginning of the answer given), and not where nobody else is left: then it is what the model has to say.
 */
export function refusesEmpty(exchange: Exchange): boolean {
  const { surface, candidates, target, rule, resume } = exchange
  if (!surface.chat || surface.operation === 'completions' || resume?.way === 'continue') return false
  if (candidates.at(-1) === target || !rule?.fallback.when.has('Truncated')) return false
  try {
    const { stop = [], messages } = exchange.read(surface.chat)
    return stop.length === 0 && messages.at(-1)?.role !== 'assistant'
  } catch {
    // A request that only its own provider understands.
    return false
  }
}

/** Whether a whole chat completion says nothing. Only one that reports hardly a token is looked into. */
export function saysNothing(body: Buffer, usage: Usage | undefined): boolean {
  if (usage && usage.output - usage.reasoning > HARDLY) return false
  const { choices } = JSON.parse(body.toString()) as { readonly choices?: unknown } // it was read as an object before
  if (!Array.isArray(choices) || choices.length === 0) return false
  return choices.every((choice: unknown) => {
    const message = record(record(choice)?.['message'])
    if (!message) return false
    const { content, refusal, tool_calls: calls, function_call: call, audio, images } = message
    return (
      (content === undefined || content === null || content === '') &&
      !refusal &&
      !call &&
      !audio &&
      !images &&
      !(Array.isArray(calls) && calls.length > 0)
    )
  })
}
