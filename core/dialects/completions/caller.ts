import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { CompletionsWriter } from './write-stream.ts'

/** Apps that speak OpenAI's completions to us, answered by models that chat. */
export const completionsCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new CompletionsWriter(context),
}
