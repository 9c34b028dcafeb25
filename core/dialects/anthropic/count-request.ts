import { estimateTokens } from '../../estimate.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import { Asked, wrong } from '../openai/asked.ts'

/** An image of the size that is not scaled down: https://platform.claude.com/docs/en/build-with-claude/vision#evaluate-image-size */
const IMAGE = 1600
/** The prompt that the provider writes around tools: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing */
const TOOLS = 346
/** A message has a role and an end. */
const MESSAGE = 4

/**
 * About how many tokens a request has, for servers that do not count: text as `core/estimate.ts` has it, an image as one of full size, a
 * document by the size of its bytes. Throws `invalid_request`.
 */
export function countRequest(body: Json): number {
  const asked = new Asked(body)
  const [messages, tools] = [asked.objects('messages'), asked.list('tools') ?? []]
  if (messages.length === 0) throw wrong('"messages" must be a list of at least one message.')
  const said = messages.reduce((sum, message) => sum + MESSAGE + tokensOf(message.any('content')), 0)
  return said + tokensOf(asked.any('system')) + (tools.length > 0 ? TOOLS + estimateTokens(JSON.stringify(tools)) : 0)
}

function tokensOf(value: unknown): number {
  if (typeof value === 'string') return estimateTokens(value)
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + tokensOf(item), 0)
  const block = record(value)
  if (!block) return 0
  const { type, text, thinking, content, input, source } = block
  if (type === 'image') return IMAGE
  const data = record(source)?.['data']
  // A page of a PDF has some 50 KB and 3,000 tokens; in a text every byte counts.
  if (type === 'document')
    return typeof data === 'string' ? Math.ceil(data.length / (record(source)?.['type'] === 'text' ? 4 : 24)) : IMAGE
  return (
    tokensOf(text) +
    tokensOf(thinking) +
    tokensOf(content) +
    (input === undefined ? 0 : estimateTokens(JSON.stringify(input)))
  )
}
