import type { ChatAnswer, FinishReason, OutputPart, TokenLogprob } from '../../chat.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { writeUsage } from '../openai/usage.ts'

/** The body of a whole answer: https://platform.openai.com/docs/api-reference/completions/object. Thoughts have no place in it. */
export function writeAnswer(answer: ChatAnswer, { request, requestId, now }: AnswerContext): Json {
  return {
    id: answer.id ?? `cmpl-${requestId}`,
    object: 'text_completion',
    created: answer.created ?? now,
    model: answer.model ?? request.model,
    choices: answer.choices.map(({ index, content, logprobs, finish }) =>
      writeChoice(index, content.map(wordsOf).join(''), logprobs ? writeLogprobs(logprobs, 0) : null, finish),
    ),
    ...(answer.usage ? { usage: writeUsage(answer.usage) } : {}),
  }
}

const wordsOf = (part: OutputPart): string => (part.type === 'text' || part.type === 'refusal' ? part.text : '')

export function writeChoice(index: number, text: string, logprobs: Json | null, finish: FinishReason | null): Json {
  return { text, index, logprobs, finish_reason: finish === 'tool_calls' ? 'stop' : finish }
}

/** Log-probabilities side by side, with where each token begins; `offset` is that of the first. */
export function writeLogprobs(tokens: readonly TokenLogprob[], offset: number): Json {
  let at = offset
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map((it) => Object.fromEntries(it.top_logprobs.map(({ token, logprob }) => [token, logprob]))),
    text_offset: tokens.map(({ token }) => {
      const begin = at
      at += token.length
      return begin
    }),
  }
}
