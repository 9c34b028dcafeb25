import type { ChatEvent } from '../chat.ts'
import { Malformed } from '../dialects/dialect.ts'
import type { Json } from '../dialects/dialect.ts'
import { record } from '../openai-usage.ts'
import type { Usage } from '../usage.ts'
import type { Watch } from './surface.ts'

/** Reads answers that are never streamed and that matter for their usage alone, once they are known to be no error. */
export function wholeOnly(usageOf: (answer: Json) => Usage | undefined): Watch {
  return {
    framing: 'sse',
    reader: () => {
      throw new Error('it is never streamed')
    },
    read(body): readonly ChatEvent[] {
      const answer = record(body)
      if (!answer) throw new Malformed('The answer is no object.')
      const { message, error } = answer
      if (typeof message === 'string' || error) return [{ type: 'error', body: JSON.stringify(answer) }]
      const usage = usageOf(answer)
      return usage ? [{ type: 'usage', usage }] : []
    },
  }
}
