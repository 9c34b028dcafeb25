import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { AnthropicWriter } from './write-stream.ts'

/** Anthropic's Messages API as apps speak it to us: https://platform.claude.com/docs/en/api/messages */
export const anthropicCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new AnthropicWriter(context),
}
