import type { ChatTarget } from '../dialect.ts'
import { readAnswer } from './read-answer.ts'
import { CohereReader } from './read-stream.ts'
import { writeRequest } from './write-request.ts'

/** `POST /v2/chat`, spoken to Cohere: https://docs.cohere.com/reference/chat */
export const cohereTarget: ChatTarget = {
  artefacts: ['cohere'],
  framing: 'sse',
  write: writeRequest,
  read: readAnswer,
  reader: () => new CohereReader(),
}
