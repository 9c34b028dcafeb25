import { openaiCaller } from '../dialects/openai/caller.ts'
import { OpenAIReader, readAnswer } from '../dialects/openai/read-answer.ts'
import { judgeWhole } from '../judge.ts'
import { OpenAIStream } from '../openai-stream.ts'
import { saysNothing } from '../rescue/empty.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/chat */
export const chat = {
  name: 'chat',
  operation: 'chat',
  paths: ['/v1/chat/completions'],
  chat: openaiCaller,
  fast: {
    stream: ({ keep, ...passing }) =>
      new OpenAIStream({
        ...passing,
        keep: keep && { reader: new OpenAIReader(''), refusesEmpty: keep.refusesEmpty },
      }),
    whole(headers, body, wall) {
      const judged = judgeWhole(headers, body, wall)
      return judged.finishReason === 'stop' && saysNothing(body, judged.usage) ? { ...judged, empty: true } : judged
    },
  },
  // For answers that are joined to others.
  watch: { framing: 'sse', reader: () => new OpenAIReader(''), read: (body) => readAnswer(body, '') },
  usageOption: true,
  ...openaiErrors,
} as const satisfies Surface
