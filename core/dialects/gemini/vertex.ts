import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import { anthropicTarget } from '../anthropic/target.ts'
import { Malformed } from '../dialect.ts'
import type { ChatTarget, EmbeddingsTarget, Json } from '../dialect.ts'
import { vectorOf } from '../openai/embeddings.ts'
import { taskTypes, textsOf } from './embeddings.ts'
import { geminiTarget } from './target.ts'

/** Who made a model, as Vertex AI's paths have it; callers may write `anthropic/claude-…` or the whole of `publishers/…/models/…`. */
export function publisherOf(model: string): { readonly publisher: string; readonly name: string } {
  const [, publisher, name] =
    /^publishers\/([^/]+)\/models\/(.+)$/.exec(model) ?? /^(google|anthropic)\/(.+)$/.exec(model) ?? []
  if (publisher !== undefined && name !== undefined) return { publisher, name }
  return { publisher: model.startsWith('claude-') ? 'anthropic' : 'google', name: model }
}

/** `/v1/projects/P/locations/L/publishers/…/models/M`: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference */
export function vertexPath(model: string, settings: Json): string {
  const { publisher, name } = publisherOf(model)
  const { project, location } = settings
  return `/v1/projects/${String(project)}/locations/${String(location)}/publishers/${publisher}/models/${encodeName(name)}`
}

/** The `@` of `claude-opus-4@20250514` stands as it is in Google's own examples. */
const encodeName = (name: string): string => encodeURIComponent(name).replaceAll('%40', '@')

/** Google's own models. */
export const vertexTarget: ChatTarget = geminiTarget({ path: vertexPath, vertex: true })

/** Of the body, in place of a header: https://docs.anthropic.com/en/api/claude-on-vertex-ai */
export const ANTHROPIC_VERSION = 'vertex-2023-10-16'

/** The words that follow the path of Anthropic's models. */
export const rawPredict = (stream: boolean): string => (stream ? ':streamRawPredict' : ':rawPredict')

/** Anthropic's models: the Messages API, with the model in the path. */
export const vertexClaudeTarget: ChatTarget = {
  ...anthropicTarget,
  write(request, context) {
    const { name } = publisherOf(context.model)
    const out = anthropicTarget.write(request, { ...context, model: name })
    const { model: _, ...body } = out.body as Json // it writes objects
    return {
      path: vertexPath(context.model, context.settings) + rawPredict(request.stream),
      body: { anthropic_version: ANTHROPIC_VERSION, ...body },
      dropped: out.dropped,
    }
  },
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const vertexEmbedTarget: EmbeddingsTarget = {
  write({ input, dimensions, purpose, user }, { model, settings }) {
    if (input.length > 1 && publisherOf(model).name.startsWith('gemini-'))
      throw new Failure('not_translatable', {
        detail: `On Vertex AI ${model} takes one text in a request, and this one has ${input.length}.`,
      })
    const instances = textsOf(input).map((content) => ({
      content,
      ...(purpose === undefined ? {} : { task_type: taskTypes[purpose] }),
    }))
    return {
      path: `${vertexPath(model, settings)}:predict`,
      // Else what is too long would be cut in silence.
      body: {
        instances,
        parameters: {
          autoTruncate: false,
          ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
        },
      },
      dropped: user === undefined ? [] : ['user'],
    }
  },
  read(body) {
    const predictions = record(body)?.['predictions']
    if (!Array.isArray(predictions)) throw new Malformed('The answer has no predictions.')
    const embeddings = predictions.map((it: unknown) => record(record(it)?.['embeddings']) ?? {})
    const counts = embeddings.map((it) => record(it['statistics'])?.['token_count'])
    const known = counts.every((it) => typeof it === 'number')
    return {
      model: undefined,
      vectors: embeddings.map((it) => vectorOf(it['values'])),
      usage: known ? { ...NO_USAGE, input: counts.reduce((sum, it) => sum + it, 0) } : undefined,
    }
  },
}
