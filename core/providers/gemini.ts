import { geminiEmbedTarget } from '../dialects/gemini/embeddings.ts'
import { ownSignatures } from '../dialects/gemini/own-signatures.ts'
import { geminiTarget, modelPath } from '../dialects/gemini/target.ts'
import type { Provider } from './provider.ts'

const target = geminiTarget({ path: modelPath, vertex: false })

/** https://ai.google.dev/api */
export const gemini = {
  type: 'Gemini',
  genAi: 'gcp.gemini',
  url: () => 'https://generativelanguage.googleapis.com',
  // In a header, never in the query: URLs end up in logs.
  auth: { type: 'key', header: (key) => ['x-goog-api-key', key], isKey: /^AIza/ },
  native(surface, model, stream, _, found) {
    const path = modelPath(model)
    if (surface === 'generate_content')
      return { path: `${path}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}` }
    if (surface === 'generate_content_list') return { path: `${path}:streamGenerateContent` }
    // The bodies of these name the model too: where that is ours, all is said anew.
    if (found?.model !== model) return undefined
    if (surface === 'count_content_tokens') return { path: `${path}:countTokens` }
    if (surface === 'embed_content') return { path: `${path}:embedContent` }
    return surface === 'batch_embed_contents' ? { path: `${path}:batchEmbedContents` } : undefined
  },
  edits: (surface, body, fields, _, model) =>
    surface.startsWith('generate_content') ? ownSignatures(body, fields, model) : [],
  chat: () => target,
  embeddings: () => geminiEmbedTarget,
} as const satisfies Provider
