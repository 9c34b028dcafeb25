import type { ChatRequest } from '../../chat.ts'
import type { Json } from '../dialect.ts'
import type { BedrockTraits, Extra } from './model-traits.ts'

/** Fields that some models have a word for. */
const extras: readonly Extra[] = ['topK', 'seed', 'frequencyPenalty', 'presencePenalty']

export interface Inference {
  readonly inferenceConfig: Json
  /** Of `additionalModelRequestFields`. */
  readonly fields: Json
}

/**
 * How an answer is drawn. Temperature is 0–1 for all models; where Claude thinks, it and `top_k` are not to be touched, and `topP` only from
 * 0.95 on. `maxTokens` as it is to be said; `thinks`: Claude thinks.
 */
export function writeInference(
  request: ChatRequest,
  { model, claude, fields: words }: BedrockTraits,
  maxTokens: number | undefined,
  thinks: boolean,
  dropped: string[],
): Inference {
  const { temperature, topP } = request
  const free = model.sampling !== 'none'
  const warm = temperature !== undefined && free && !thinks
  const wide = topP !== undefined && free && !(warm && model.sampling === 'one') && !(thinks && topP < 0.95)
  // Left out, it is 1.
  if (temperature !== undefined && temperature !== 1 && (!warm || temperature > 1)) dropped.push('temperature')
  if (topP !== undefined && !wide) dropped.push('topP')
  const stop = request.stop?.filter((sequence) => sequence.trim() !== '') ?? []
  if (stop.length < (request.stop?.length ?? 0)) dropped.push('stop')
  const fields = extras.flatMap((name) => {
    const value = request[name]
    if (value === undefined) return []
    const write = words[name]
    if (write && !(claude && (thinks || !free))) return [write(value)]
    dropped.push(name)
    return []
  })
  return {
    inferenceConfig: {
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(warm ? { temperature: Math.min(1, temperature) } : {}),
      ...(wide ? { topP } : {}),
      ...(stop.length > 0 ? { stopSequences: stop } : {}),
    },
    fields: Object.fromEntries(fields.flatMap((it) => Object.entries(it))),
  }
}
