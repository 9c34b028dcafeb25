import type { Bytes } from '../bytes.ts'
import { mistralChat, mistralEmbeddings } from '../dialects/mistral/target.ts'
import {
  chatWords,
  embeddingsWords,
  moderationsWords,
  THINKING,
  transcriptionsWords,
} from '../dialects/mistral/words.ts'
import { fieldValue } from '../json-fields.ts'
import type { RequestFields } from '../json-fields.ts'
import { openaiCall } from './openai-family.ts'
import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'
import { editsOf } from './request-words.ts'
import type { Words } from './request-words.ts'

const served = new Set(['chat', 'embeddings', 'moderations', 'transcriptions'])

const words: Readonly<Record<string, Words>> = {
  embeddings: embeddingsWords,
  moderations: moderationsWords,
  transcriptions: transcriptionsWords,
}

/** Whether the answer will have thoughts, which Mistral writes as parts of the content: callers of OpenAI's chat take a text there. */
function thinks(model: string, body: Bytes, { fields }: RequestFields): boolean {
  const said = (name: string): unknown => fieldValue(body, fields, name)
  const effort = said('reasoning_effort')
  const asked = typeof effort === 'string' && effort !== 'none' && effort !== 'minimal'
  return THINKING.test(model) || asked || said('prompt_mode') === 'reasoning'
}

/** https://docs.mistral.ai/api: OpenAI's chat with words of its own, and a 422 for every other. */
export const mistral = {
  type: 'Mistral',
  genAi: 'mistral_ai',
  url: () => 'https://api.mistral.ai/v1',
  auth: bearer,
  // Its streams of transcriptions have events that OpenAI's callers do not know.
  native: (surface, _model, stream) =>
    surface === 'transcriptions' && stream ? undefined : openaiCall(surface, served),
  anew: (surface, model, body, fields) => surface === 'chat' && thinks(model, body, fields),
  edits(surface, body, { fields, form }, _settings, model) {
    const own = surface === 'chat' ? chatWords(false, model) : words[surface]
    return own ? editsOf(own, body, fields, form !== undefined) : []
  },
  usageUnasked: true,
  chat: (model) => mistralChat(model),
  // Marked as a prefix by the words of its chat; the answer begins with it: https://docs.mistral.ai/api
  prefill: () => ({ message: { prefix: true }, echoes: true }),
  embeddings: () => mistralEmbeddings,
} as const satisfies Provider
