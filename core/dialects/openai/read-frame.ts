import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { Frame, Json } from '../dialect.ts'

/**
 * The object that an event of a stream of OpenAI's holds; `end`: it is `[DONE]`; `error`: an `event: error` whose words are no JSON. Throws
 * `Malformed`.
 */
export function readFrame({ type, data }: Frame): Json | 'end' | 'error' {
  if (data.length < 10 && data.trim() === '[DONE]') return 'end'
  let body: unknown
  try {
    body = JSON.parse(data)
  } catch (error) {
    if (type === 'error') return 'error'
    throw new Malformed('An event is not JSON.', { cause: error })
  }
  const chunk = record(body)
  if (!chunk) throw new Malformed('An event is no object.')
  return chunk
}
