import { traitsOf } from '../dialects/anthropic/model-traits.ts'
import { foreignArtefacts } from '../dialects/anthropic/foreign-artefacts.ts'
import { ownSignatures } from '../dialects/gemini/own-signatures.ts'
import {
  ANTHROPIC_VERSION,
  publisherOf,
  rawPredict,
  vertexClaudeTarget,
  vertexEmbedTarget,
  vertexPath,
  vertexTarget,
} from '../dialects/gemini/vertex.ts'
import { object, string } from '../schema.ts'
import type { Provider } from './provider.ts'

/** https://cloud.google.com/resource-manager/docs/creating-managing-projects; older ones belong to a domain. */
const PROJECT = '^([a-z][a-z0-9.-]{0,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$'

const schema = object(
  {
    project: string({ maxLength: 100, pattern: PROJECT, description: 'The id of the Google Cloud project that pays.' }),
    location: string({
      maxLength: 40,
      pattern: '^[a-z]+(-[a-z]+[0-9]+)?$',
      description: 'Where the models run: a region such as europe-west4, a multi-region (us, eu), or global.',
    }),
  },
  { description: 'Settings of Vertex AI.' },
)

/** https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com'
  return location.includes('-') ? `${location}-aiplatform.googleapis.com` : `aiplatform.${location}.rep.googleapis.com`
}

/** Google's models, and Anthropic's there, by a service account: https://cloud.google.com/vertex-ai/generative-ai/docs */
export const vertexAI = {
  type: 'VertexAI',
  genAi: 'gcp.vertex_ai',
  settings: { name: 'vertexAI', schema, required: true },
  url: ({ location }) => `https://${hostOf(String(location))}`,
  auth: { type: 'google' },
  native(surface, model, stream, settings, found) {
    const path = vertexPath(model, settings)
    const { publisher } = publisherOf(model)
    if (publisher === 'google') {
      if (surface === 'generate_content_list') return { path: `${path}:streamGenerateContent` }
      if (surface === 'count_content_tokens' && found?.model === model) return { path: `${path}:countTokens` }
      return surface === 'generate_content'
        ? { path: `${path}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}` }
        : undefined
    }
    return surface === 'messages' && publisher === 'anthropic'
      ? { path: path + rawPredict(stream), modelInPath: true }
      : undefined
  },
  edits: (surface, body, fields, _, model) =>
    surface === 'messages'
      ? [
          ...foreignArtefacts(body, fields),
          { name: 'model', json: undefined },
          { name: 'anthropic_version', json: JSON.stringify(ANTHROPIC_VERSION) },
        ]
      : ownSignatures(body, fields, publisherOf(model).name),
  chat: (model) => (publisherOf(model).publisher === 'anthropic' ? vertexClaudeTarget : vertexTarget),
  prefill(model, _, declared) {
    const claude = publisherOf(model).publisher === 'anthropic'
    return claude && (declared ?? traitsOf(model).prefill) ? { trims: true } : undefined
  },
  embeddings: (model) => (publisherOf(model).publisher === 'google' ? vertexEmbedTarget : undefined),
} as const satisfies Provider
