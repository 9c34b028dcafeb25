import type { Json } from '../dialects/dialect.ts'
import type { Turn } from '../learning/text.ts'
import type { Content, Medium } from './content.ts'

/** Roles as the canonical chat has them. */
const ROLES: Readonly<Record<string, string>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
}
const TEXT: ReadonlySet<Medium> = new Set(['Text'])

/**
 * Of a chat of OpenAI's whose messages are plain texts, as most are: what its canonical form would say, for a fifth of the work. Undefined
 * for one that has to be looked at more closely.
 */
export function plainChat(body: Json): Content | undefined {
  const { messages, tools, response_format: format, max_completion_tokens: most, max_tokens: limit } = body
  if (!Array.isArray(messages) || (tools !== undefined && !Array.isArray(tools))) return undefined
  const turns: Turn[] = []
  for (const message of messages as readonly unknown[]) {
    if (typeof message !== 'object' || message === null) return undefined
    const { role: said, content } = message as Json // it may have any field or none
    const role = typeof said === 'string' ? ROLES[said] : undefined
    if (role === undefined || typeof content !== 'string') return undefined
    if (content !== '') turns.push({ role, text: content })
  }
  const maxTokens = most ?? limit ?? undefined
  if (maxTokens !== undefined && typeof maxTokens !== 'number') return undefined
  const jsonSchema = typeof format === 'object' && format !== null && 'type' in format && format.type === 'json_schema'
  return { turns, media: turns.length > 0 ? TEXT : NONE, tools: tools?.length ?? 0, jsonSchema, maxTokens }
}

const NONE: ReadonlySet<Medium> = new Set()
