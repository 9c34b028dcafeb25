import { anthropicCaller } from '../dialects/anthropic/caller.ts'
import { readAnswer } from '../dialects/anthropic/read-answer.ts'
import { AnthropicReader } from '../dialects/anthropic/read-stream.ts'
import { anthropicErrors } from '../dialects/anthropic/error.ts'
import type { Surface } from './surface.ts'

/** Blocks that have a place in the canonical chat; others are of tools that Anthropic itself runs. */
const KNOWN = /"content_block"\s*:\s*\{[^{}]*?"type"\s*:\s*"(text|thinking|redacted_thinking|tool_use)"/

/** https://platform.claude.com/docs/en/api/messages */
export const messages = {
  name: 'messages',
  operation: 'chat',
  paths: ['/v1/messages'],
  chat: anthropicCaller,
  watch: {
    framing: 'sse',
    reader: () => new AnthropicReader(),
    read: readAnswer,
    foreign: ({ type, data }) => type === 'content_block_start' && !KNOWN.test(data),
    terminator: Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n'),
  },
  ...anthropicErrors,
} as const satisfies Surface
