import { cohereCaller } from '../dialects/cohere/caller.ts'
import { cohereErrors } from '../dialects/cohere/error.ts'
import { readAnswer } from '../dialects/cohere/read-answer.ts'
import { CohereReader } from '../dialects/cohere/read-stream.ts'
import type { Surface } from './surface.ts'

/** https://docs.cohere.com/reference/chat */
export const cohereChat = {
  name: 'cohere_chat',
  operation: 'chat',
  paths: ['/v2/chat'],
  chat: cohereCaller,
  watch: { framing: 'sse', reader: () => new CohereReader(), read: readAnswer },
  ...cohereErrors,
} as const satisfies Surface
