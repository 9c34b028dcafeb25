import { completionsCaller } from '../dialects/completions/caller.ts'
import { judgeWhole } from '../judge.ts'
import { OpenAIStream } from '../openai-stream.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/completions */
export const completions = {
  name: 'completions',
  operation: 'completions',
  paths: ['/v1/completions'],
  chat: completionsCaller,
  fast: { stream: ({ hideUsage, choices }) => new OpenAIStream({ hideUsage, choices }), whole: judgeWhole },
  usageOption: true,
  ...openaiErrors,
} as const satisfies Surface
