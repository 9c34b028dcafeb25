import type { ChatEvent, Citation } from '../../chat.ts'
import { record } from '../../openai-usage.ts'

/** What ties a citation to its source, of a whole answer or a stream: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html */
export function readCitation(value: unknown): Citation {
  const citation = record(value)
  const url = record(record(citation?.['location'])?.['web'])?.['url']
  const title = citation?.['title'] ?? citation?.['source']
  const content: readonly unknown[] = Array.isArray(citation?.['sourceContent']) ? citation['sourceContent'] : []
  const text = content
    .map((it) => record(it)?.['text'])
    .filter((it) => typeof it === 'string')
    .join('')
  return {
    ...(typeof url === 'string' ? { url } : {}),
    ...(typeof title === 'string' ? { title } : {}),
    ...(text === '' ? {} : { text }),
  }
}

/** The stop sequence that ended an answer, which Claude says where it is asked. */
export function stopSequenceOf(fields: unknown): { readonly stopSequence?: string } {
  const sequence = record(fields)?.['stop_sequence']
  return typeof sequence === 'string' ? { stopSequence: sequence } : {}
}

/** HTTP statuses of the exceptions: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
const statuses: ReadonlyMap<string, number> = new Map([
  ['validationException', 400],
  ['accessDeniedException', 403],
  ['resourceNotFoundException', 404],
  ['modelTimeoutException', 408],
  ['modelErrorException', 424],
  ['modelStreamErrorException', 424],
  ['throttlingException', 429],
  ['modelNotReadyException', 429],
  ['internalServerException', 500],
  ['serviceUnavailableException', 503],
])

/** The error that an exception in a stream is, with the status that the same has as a whole answer; undefined for events. */
export function readException(type: string, data: string): ChatEvent | undefined {
  if (type !== 'error' && !type.endsWith('Exception')) return undefined
  const said = parsed(data)
  const message = said?.['message'] ?? said?.['Message']
  const body = {
    __type: type,
    status: statuses.get(type) ?? 500,
    message: typeof message === 'string' ? message : (said?.['originalMessage'] ?? type),
  }
  return { type: 'error', body: JSON.stringify(body) }
}

function parsed(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return record(JSON.parse(data))
  } catch {
    return undefined
  }
}
