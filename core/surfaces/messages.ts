import { anthropicCaller } from '../dialects/anthropic/caller.ts'
import { readAnswer } from '../dialects/anthropic/read-answer.ts'
import { AnthropicReader } from '../dialects/anthropic/read-stream.ts'
import { anthropicErrors } from '../dialects/anthropic/error.ts'
import type { Surface } from './surface.ts'

/** https://platform.claude.com/docs/en/api/messages */
export const messages = {
  name: 'messages',
  operation: 'chat',
  paths: ['/v1/messages'],
  chat: anthropicCaller,
  watch: { framing: 'sse', reader: () => new AnthropicReader(), read: readAnswer },
  ...anthropicErrors,
} as const satisfies Surface
