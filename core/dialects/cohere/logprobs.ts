import type { TokenLogprob } from '../../chat.ts'
import { record } from '../../openai-usage.ts'

/** Cohere's `logprobs` item: a piece of text with the log-probabilities of its tokens, which together are the piece's. */
export function readLogprob(value: unknown): readonly TokenLogprob[] {
  const item = record(value)
  const { text, logprobs } = item ?? {}
  if (typeof text !== 'string' || !Array.isArray(logprobs)) return []
  const logprob = logprobs.reduce((sum: number, it: unknown) => sum + (typeof it === 'number' ? it : 0), 0)
  return [{ token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }]
}

/** The same as Cohere has it; the ids of tokens are not known. */
export function writeLogprob({ token, logprob }: TokenLogprob): unknown {
  return { text: token, token_ids: [], logprobs: [logprob] }
}
