import type { TokenLogprob } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'

/** `logprobsResult` token by token: https://ai.google.dev/api/generate-content#LogprobsResult */
export function readLogprobs(value: unknown): readonly TokenLogprob[] {
  const result = record(value)
  const tops = objects(result?.['topCandidates'])
  return objects(result?.['chosenCandidates']).map((chosen, i) => ({
    ...one(chosen),
    top_logprobs: objects(tops[i]?.['candidates']).map(one),
  }))
}

/** The same as a caller reads it. */
export function writeLogprobs(content: readonly TokenLogprob[]): Json {
  const plain = ({ token, logprob }: { token: string; logprob: number }): Json => ({ token, logProbability: logprob })
  return {
    chosenCandidates: content.map(plain),
    topCandidates: content.map(({ top_logprobs }) => ({ candidates: top_logprobs.map(plain) })),
  }
}

function one(candidate: Json): { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] } {
  const { token: said, logProbability: logprob } = candidate
  const token = typeof said === 'string' ? said : ''
  return { token, logprob: typeof logprob === 'number' ? logprob : 0, bytes: [...Buffer.from(token)] }
}

const objects = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map(record).filter((it) => it !== undefined) : []
