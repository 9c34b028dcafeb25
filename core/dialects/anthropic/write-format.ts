import type { ChatRequest } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import type { Traits } from './model-traits.ts'
import { fits } from './schema-fit.ts'

/**
 * The tool whose arguments are the answer, for a schema that the model can only be held to in that way. Readers make text of its call; the
 * name is one that no app has.
 */
export const ANSWER_TOOL = 'tradewind_answer'

/** How the model is told what its answer is to look like. */
export interface Form {
  /** `output_config.format` */
  readonly format?: Json
  readonly tool?: Json
  /** Words for the system prompt, where nothing holds the model to it. */
  readonly words?: string
  readonly dropped: readonly string[]
}

/**
 * A schema goes into `output_config.format` exactly as it is, where the model has that field and the schema keeps within what it takes. Else
 * the model has to call a tool of that schema, which takes any; but a tool cannot be forced on every model, nor beside calls that the caller
 * forces. What is left is to ask in words, which is no promise: `format` is then reported as dropped. JSON without a schema is always asked
 * for in words, since a tool without properties invites an empty object.
 */
export function writeForm({ format, toolChoice }: ChatRequest, traits: Traits): Form {
  if (!format || format.type === 'text') return { dropped: [] }
  if (format.type === 'json')
    return { words: 'Answer with one JSON object and nothing else: no other text, no code fence.', dropped: ['format'] }
  const { $schema: _, ...schema } = format.schema
  if (traits.schemas && fits(schema)) return { format: { type: 'json_schema', schema }, dropped: [] }
  const free = toolChoice === undefined || toolChoice === 'auto' || toolChoice === 'none'
  if (traits.forced && free && (schema['type'] === 'object' || record(schema['properties'])))
    return {
      tool: {
        name: ANSWER_TOOL,
        description: `Gives the answer. Call this tool with the whole answer instead of writing text.${format.description ? ` ${format.description}` : ''}`,
        input_schema: { type: 'object', ...schema },
      },
      dropped: [],
    }
  return {
    words: `Answer with JSON and nothing else, no other text and no code fence, that is valid by this JSON Schema: ${JSON.stringify(schema)}`,
    dropped: ['format'],
  }
}
