import type { Json } from '../dialects/dialect.ts'
import type { Turn } from '../learning/text.ts'
import type { Content, Medium } from './content.ts'

/** Where dialects put the conversation, and what is asked where there is none. */
const CONVERSATIONS = ['messages', 'contents', 'input'] as const
const PROMPTS = ['prompt', 'input', 'query', 'text', 'inputs'] as const
const SYSTEMS = ['system', 'instructions', 'systemInstruction', 'system_instruction'] as const
const LIMITS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const

/** What the types and names of parts say of them. */
const MEDIA: readonly (readonly [medium: Medium, word: RegExp])[] = [
  ['Image', /image/i],
  ['Audio', /audio/i],
  ['File', /file|document/i],
]

/** What a JSON body says, of whatever dialect: for surfaces without a canonical form, and for requests that theirs would refuse. */
export function looseContent(body: Json): Content {
  const media = new Set<Medium>()
  const turns: Turn[] = SYSTEMS.flatMap((name) => turn('system', body[name], media))
  const conversation = CONVERSATIONS.map((name) => body[name]).find((it) => isList(it) && it.some(hasContent))
  if (isList(conversation))
    for (const message of conversation)
      if (isObject(message)) {
        const { role } = message
        const content = message['content'] ?? message['parts']
        turns.push(...turn(role === 'model' ? 'assistant' : typeof role === 'string' ? role : 'user', content, media))
      }
  if (!isList(conversation)) turns.push(...PROMPTS.flatMap((name) => turn('user', body[name], media)))
  if (turns.length > 0) media.add('Text')
  const { tools } = body
  const limit = LIMITS.map((name) => body[name]).find((it) => typeof it === 'number')
  const format = JSON.stringify(body['response_format'] ?? body['text'] ?? null).slice(0, 200)
  return {
    turns,
    media,
    tools: isList(tools) ? tools.length : 0,
    jsonSchema: /"json_schema"/.test(format),
    maxTokens: limit,
  }
}

function turn(role: string, content: unknown, media: Set<Medium>): Turn[] {
  const texts: string[] = []
  gather(content, texts, media)
  return texts.length > 0 ? [{ role, text: texts.join('\n') }] : []
}

/** The texts of parts, and what the others are. */
function gather(value: unknown, texts: string[], media: Set<Medium>): void {
  if (typeof value === 'string') texts.push(value)
  else if (isList(value)) for (const item of value) gather(item, texts, media)
  else if (isObject(value)) {
    const { type, text, content, parts } = value
    const named = `${typeof type === 'string' ? type : ''} ${Object.keys(value).join(' ')}`
    for (const [medium, word] of MEDIA) if (word.test(named)) media.add(medium)
    gather(text ?? content ?? parts, texts, media)
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !isList(value)
const hasContent = (value: unknown): boolean => isObject(value) && ('content' in value || 'parts' in value)
