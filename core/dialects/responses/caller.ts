import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-response.ts'
import { ResponsesWriter } from './write-stream.ts'

/** Apps that speak OpenAI's Responses to us, answered without any state. */
export const responsesCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new ResponsesWriter(context),
}
