import { openaiCaller } from '../dialects/openai/caller.ts'
import { judgeWhole } from '../judge.ts'
import { OpenAIStream } from '../openai-stream.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/chat */
export const chat = {
  name: 'chat',
  operation: 'chat',
  paths: ['/v1/chat/completions'],
  chat: openaiCaller,
  fast: { stream: (passing) => new OpenAIStream(passing), whole: judgeWhole },
  usageOption: true,
  ...openaiErrors,
} as const satisfies Surface
