import type { ChatCaller } from '../dialect.ts'
import { readRequest } from './read-request.ts'
import { writeAnswer } from './write-answer.ts'
import { BedrockWriter } from './writer.ts'

/** Converse and ConverseStream, spoken to us: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const bedrockCaller: ChatCaller = {
  read: readRequest,
  answer: writeAnswer,
  writer: (context) => new BedrockWriter(context),
}
