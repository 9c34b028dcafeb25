import type { ChatRequest } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Asked, ChatCaller, Json } from '../dialect.ts'
import { object, optional, text } from '../request-fields.ts'
import { writeAnswer } from './answer.ts'
import { leave, members } from './members.ts'
import { readContents, readInstruction } from './read-contents.ts'
import { readConfig, readTools } from './read-request.ts'
import { GeminiWriter } from './writer.ts'

const BODY: ReadonlySet<string> = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
  'labels',
])

/** Apps that speak the Gemini API: https://ai.google.dev/api/generate-content. Model and stream are in their path. */
export const geminiCaller: ChatCaller = {
  read,
  answer: writeAnswer,
  writer: (context) => new GeminiWriter(context),
}

function read(given: Json, { model, stream }: Asked): ChatRequest {
  const body = members(given, 'body')
  if (body['cachedContent'] !== undefined && body['cachedContent'] !== null)
    throw new Failure('not_translatable', {
      detail: '"cachedContent" is at Google, and no other provider can read it: send the contents.',
    })
  const unread: string[] = []
  leave(body, BODY, '', unread)
  const system = readInstruction(body['systemInstruction'], unread)
  const messages = [...system, ...readContents(body['contents'], unread)]
  const tier = optional(body['serviceTier'], 'serviceTier', text)?.toLowerCase()
  const labels = optional(body['labels'], 'labels', (value, name) =>
    Object.fromEntries(Object.entries(object(value, name)).map(([key, it]) => [key, text(it, `${name}.${key}`)])),
  )
  const asked = readConfig(body['generationConfig'], unread)
  return {
    model: model ?? (optional(body['model'], 'model', text) ?? '').replace(/^models\//, ''),
    messages,
    ...readTools(body, unread),
    ...asked,
    ...(labels ? { metadata: labels } : {}),
    ...(tier === undefined || tier === 'unspecified' ? {} : { serviceTier: tier === 'standard' ? 'default' : tier }),
    stream: stream ?? false,
    includeUsage: true,
    unread,
  }
}
