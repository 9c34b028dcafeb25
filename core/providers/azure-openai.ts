import type { ChatTarget, EmbeddingsTarget, Json } from '../dialects/dialect.ts'
import { openaiEmbeddingsTarget } from '../dialects/openai/embeddings.ts'
import { openaiOptions } from '../dialects/openai/options.ts'
import { ownFields } from '../dialects/openai/own-fields.ts'
import { openaiChat } from '../dialects/openai/target.ts'
import { object, string } from '../schema.ts'
import { openaiCall, openaiPaths } from './openai-family.ts'
import type { Provider } from './provider.ts'

const served = new Set(openaiPaths.keys())
served.delete('moderations')
served.delete('image_variations')

/** Of the dated API, these have the deployment in the body or the query: all others have it in the path. */
const PLACELESS = /^\/(responses|realtime)\b/

const isDated = (version: string): boolean => /^\d/.test(version)

const versionOf = ({ apiVersion }: Json): string => (typeof apiVersion === 'string' ? apiVersion : 'v1')

/** After the resource's endpoint: where a surface of a deployment is, by the version of the API. */
function pathOf(surface: string, model: string, settings: Json): string | undefined {
  const version = versionOf(settings)
  if (!isDated(version)) {
    const path = openaiCall(surface, served, model)?.path
    if (path === undefined) return undefined
    const more = version === 'v1' ? '' : `${path.includes('?') ? '&' : '?'}api-version=${version}`
    return `/openai/v1${path}${more}`
  }
  const path = served.has(surface) ? openaiPaths.get(surface) : undefined
  if (path === undefined) return undefined
  const deployment = encodeURIComponent(model)
  const query = `?api-version=${version}${surface === 'realtime' ? `&deployment=${deployment}` : ''}`
  return PLACELESS.test(path) ? `/openai${path}${query}` : `/openai/deployments/${deployment}${path}${query}`
}

/** A target of the same dialect at another path. */
function placed<T extends ChatTarget | EmbeddingsTarget>(target: T, surface: string, model: string, settings: Json): T {
  const path = pathOf(surface, model, settings) ?? ''
  // The two kinds of targets take requests of their own; what they write is alike.
  const write = (request: never, context: never) => ({ ...target.write(request, context), path })
  return { ...target, write }
}

/** Dated versions up to 2024-10-21 know `max_tokens` alone; the models that think, which came later, only the other. */
const dated = openaiChat({
  ...openaiOptions,
  maxTokens: (model) => (openaiOptions.thinks(model) ? 'max_completion_tokens' : 'max_tokens'),
})
const current = openaiChat(openaiOptions)

/**
 * https://learn.microsoft.com/azure/foundry/openai/reference (dated versions) and …/latest (v1). Models are deployments, by the names that
 * they were given; those that think are known as such where the name begins with the model's.
 */
export const azureOpenAI = {
  type: 'AzureOpenAI',
  genAi: 'azure.ai.openai',
  settings: {
    name: 'azureOpenAI',
    schema: object(
      {
        apiVersion: string({
          default: 'v1',
          maxLength: 32,
          pattern: '^(v1|preview|20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?)$',
          description:
            'Which API of the resource is spoken: `v1`, whose paths have no version and which names the deployment in the body; `preview`, the same with its newest features; or a date such as 2024-10-21, with the deployment in the path.',
        }),
      },
      { description: 'Azure OpenAI. The address is the endpoint of the resource, without a path.' },
    ),
  },
  auth: { type: 'key', header: (key) => ['api-key', key] },
  native(surface, model, _stream, settings) {
    const path = pathOf(surface, model, settings)
    return path === undefined ? undefined : { path }
  },
  // `stream_options` came with 2024-09-01-preview.
  edits: (surface, body, fields) => (surface === 'chat' ? ownFields(body, fields) : []),
  usageUnasked: (settings) => isDated(versionOf(settings)) && versionOf(settings) < '2024-09-01',
  chat: (model, settings) => placed(isDated(versionOf(settings)) ? dated : current, 'chat', model, settings),
  embeddings: (model, settings) => placed(openaiEmbeddingsTarget, 'embeddings', model, settings),
} as const satisfies Provider
