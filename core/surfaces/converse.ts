import { bedrockCaller } from '../dialects/bedrock/caller.ts'
import { bedrockErrors } from '../dialects/bedrock/error.ts'
import { readAnswer } from '../dialects/bedrock/read-answer.ts'
import { BedrockReader } from '../dialects/bedrock/read-stream.ts'
import type { Found, Surface } from './surface.ts'

/** Ids of models may be ARNs, whose colons and slashes SDKs encode. */
const PATH = /^\/model\/(.+)\/(converse|converse-stream)$/

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and ConverseStream: the path says which, and which model. */
export const converse = {
  name: 'converse',
  operation: 'chat',
  paths: [],
  find: foundAt,
  chat: bedrockCaller,
  streamType: 'application/vnd.amazon.eventstream',
  // Whose signatures they are is of no account here: the answer passes as it is.
  watch: {
    framing: 'aws-event-stream',
    reader: () => new BedrockReader('bedrock'),
    read: (body) => readAnswer(body, 'bedrock'),
  },
  ...bedrockErrors,
} as const satisfies Surface

function foundAt(path: string): Found | undefined {
  const [, name, operation] = PATH.exec(path) ?? []
  if (name === undefined) return undefined
  try {
    return { path, method: 'POST', model: decodeURIComponent(name), stream: operation === 'converse-stream' }
  } catch {
    return undefined
  }
}
