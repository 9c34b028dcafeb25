import { encode } from '../../sigv4.ts'
import type { ChatTarget } from '../dialect.ts'
import { traitsOf } from './model-traits.ts'
import { readAnswer } from './read-answer.ts'
import { BedrockReader } from './read-stream.ts'
import { writeRequest } from './write-request.ts'

/** The path of an operation on a model, whose id or ARN has colons and slashes in it. */
export function modelPath(model: string, operation: 'converse' | 'converse-stream' | 'invoke'): string {
  return `/model/${encode(model)}/${operation}`
}

/** Converse and ConverseStream, spoken to Bedrock: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html */
export function bedrockTarget(model: string): ChatTarget {
  const { artefacts } = traitsOf(model)
  return {
    artefacts: [artefacts],
    framing: 'aws-event-stream',
    write: (request, context) => ({
      path: modelPath(context.model, request.stream ? 'converse-stream' : 'converse'),
      ...writeRequest(request, context),
    }),
    read: (body) => readAnswer(body, artefacts),
    reader: () => new BedrockReader(artefacts),
  }
}
