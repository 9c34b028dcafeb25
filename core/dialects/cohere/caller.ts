import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { CohereWriter } from './writer.ts'

/** `POST /v2/chat`, spoken to us: https://docs.cohere.com/reference/chat */
export const cohereCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new CohereWriter(context),
}
