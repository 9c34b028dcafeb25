import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { OpenAIWriter } from './write-stream.ts'

/** Apps that speak OpenAI's chat completions to us. */
export const openaiCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new OpenAIWriter(context),
}
