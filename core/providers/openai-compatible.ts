import type { ChatTarget, Json, Outgoing } from '../dialects/dialect.ts'
import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { compatibleOptions } from '../dialects/openai/options.ts'
import { openaiChat } from '../dialects/openai/target.ts'
import { classify } from '../openai-errors.ts'
import { record } from '../openai-usage.ts'
import { choice, object } from '../schema.ts'
import { openaiCall } from './openai-family.ts'
import { presetNames, presetOf } from './presets.ts'
import type { Preset } from './presets.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'
import { editsOf, inWords } from './request-words.ts'

const hosted = presetNames.filter((name) => presetOf({ preset: name }).url !== undefined).map((name) => `'${name}'`)

const NONE: readonly [] = []

/** Servers that speak OpenAI's dialect: vLLM, Ollama, TGI at addresses of their own, and hosted ones. */
export const openaiCompatible = {
  type: 'OpenAICompatible',
  genAi: 'openai_compatible',
  settings: {
    name: 'openAICompatible',
    schema: object(
      {
        preset: choice(presetNames, {
          default: 'Generic',
          description:
            'Which server it is: where its dialect differs from OpenAI’s (fields that it refuses or calls otherwise, surfaces that it has), it is spoken to in its own. Groq, Together, DeepSeek, XAI, OpenRouter and Fireworks need no address.',
        }),
      },
      { description: 'Servers of OpenAI’s dialect.' },
    ),
  },
  url: (settings) => presetOf(settings).url,
  urlWhen: `has(self.provider.openAICompatible) && self.provider.openAICompatible.preset in [${hosted.join(', ')}]`,
  auth: bearer,
  native: (surface, _model, _stream, settings) => openaiCall(surface, presetOf(settings).served),
  edits(surface, body, { fields, form }, settings, model) {
    const words = presetOf(settings).words?.(surface, model)
    return words ? editsOf(words, body, fields, form !== undefined) : NONE
  },
  chat: (model, settings) => chatOf(presetOf(settings), model),
  embeddings: () => openaiEmbeddingsTarget,
  rerank: (_model, settings) => presetOf(settings).rerank,
  prefill(_model, settings, declared) {
    const { continues } = presetOf(settings)
    return continues ? { fields: continues } : declared ? {} : undefined
  },
  classify(status, headers, body, wall, settings) {
    const verdict = classify(status, headers, body, wall)
    const code = presetOf(settings).classify?.(status, body)
    return code ? { ...verdict, code } : verdict
  },
} as const satisfies Provider

function chatOf({ words, options = compatibleOptions, continues }: Preset, model: string): ChatTarget {
  const base = openaiChat(options)
  const own = words?.('chat', model)
  return {
    ...base,
    write(request, context) {
      const out = base.write(request, context)
      const said = own ? inWords(own, out) : out
      return continues ? going(said, continues) : said
    },
  }
}

/** A request whose last message is the beginning of the answer, with the fields that say so. */
function going(out: Outgoing, fields: Json): Outgoing {
  const body = record(out.body) ?? {}
  const { messages } = body
  const last = record(Array.isArray(messages) ? messages.at(-1) : undefined)
  return last?.['role'] === 'assistant' && !last['tool_calls'] ? { ...out, body: { ...body, ...fields } } : out
}
