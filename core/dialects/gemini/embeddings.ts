import type { EmbeddingsRequest } from '../../embeddings.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Usage } from '../../usage.ts'
import { Malformed } from '../dialect.ts'
import type { EmbeddingsCaller, EmbeddingsTarget, Json } from '../dialect.ts'
import { vectorOf } from '../openai/embeddings.ts'
import { invalid, list, optional, text, whole } from '../request-fields.ts'
import { leave, members } from './members.ts'
import { modelPath } from './target.ts'

type Purpose = NonNullable<EmbeddingsRequest['purpose']>

/** https://ai.google.dev/gemini-api/docs/embeddings#supported-task-types */
export const taskTypes: Readonly<Record<Purpose, string>> = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
}

/** Spoken to the Gemini API: https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
export const geminiEmbedTarget: EmbeddingsTarget = {
  write({ input, dimensions, purpose, user }, { model }) {
    const path = modelPath(model)
    const requests = textsOf(input).map((it) => ({
      // It has to be the one of the path.
      model: decodeURIComponent(path.slice('/v1beta/'.length)),
      content: { parts: [{ text: it }] },
      ...(purpose === undefined ? {} : { taskType: taskTypes[purpose] }),
      ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
    }))
    return {
      path: `${path}:batchEmbedContents`,
      body: { requests },
      dropped: user === undefined ? [] : ['user'],
    }
  },
  read(body) {
    const answer = record(body)
    const { embeddings } = answer ?? {}
    if (!Array.isArray(embeddings)) throw new Malformed('The answer has no embeddings.')
    return {
      model: undefined,
      vectors: embeddings.map((it: unknown) => vectorOf(record(it)?.['values'])),
      usage: embedUsage(answer?.['usageMetadata']),
    }
  },
}

/** The texts of a request; Google's models cut their tokens otherwise than others. */
export function textsOf(input: EmbeddingsRequest['input']): readonly string[] {
  return input.map((it) => {
    if (typeof it === 'string') return it
    throw new Failure('not_translatable', { detail: 'Google’s models take texts, not tokens of another model.' })
  })
}

/** Older models do not say. */
export function embedUsage(value: unknown): Usage | undefined {
  const tokens = record(value)?.['promptTokenCount']
  return typeof tokens === 'number' ? { ...NO_USAGE, input: tokens } : undefined
}

const EMBED: ReadonlySet<string> = new Set(['model', 'content', 'taskType', 'outputDimensionality'])

interface One {
  readonly text: string
  readonly dimensions: number | undefined
  readonly purpose: Purpose | undefined
}

function one(value: unknown, at: string, unread: string[]): One {
  const name = (key: string): string => (at === '' ? key : `${at}.${key}`)
  const asked = members(value, at === '' ? 'body' : at)
  leave(asked, EMBED, at, unread)
  const content = members(asked['content'], name('content'))
  leave(content, new Set(['parts', 'role']), name('content'), unread)
  const parts = (optional(content['parts'], name('content.parts'), list) ?? []).map((part, i) => {
    const where = name(`content.parts.${i}`)
    const { text: given, ...more } = members(part, where)
    leave(more, new Set(), where, unread)
    if (given === undefined)
      throw new Failure('not_translatable', { detail: `Only Google itself embeds what is no text (${where}).` })
    return text(given, `${where}.text`)
  })
  if (parts.length === 0) throw invalid(name('content.parts'), 'a list with at least one part')
  const taskType = optional(asked['taskType'], name('taskType'), text)
  const purpose = Object.entries(taskTypes).find(([, word]) => word === taskType)?.[0] as Purpose | undefined // its own keys
  if (taskType !== undefined && taskType !== 'TASK_TYPE_UNSPECIFIED' && !purpose) unread.push(name('taskType'))
  return {
    text: parts.join('\n'),
    dimensions: optional(asked['outputDimensionality'], name('outputDimensionality'), whole(1)),
    purpose,
  }
}

function request(all: readonly One[], model: string | undefined, unread: readonly string[]): EmbeddingsRequest {
  const [first] = all
  const same = all.every((it) => it.dimensions === first?.dimensions && it.purpose === first?.purpose)
  if (!same)
    throw new Failure('not_translatable', {
      detail: 'Only Google itself embeds texts with different dimensions or purposes in one request: send several.',
    })
  return {
    model: model ?? '',
    input: all.map((it) => it.text),
    encoding: 'float',
    ...(first?.dimensions === undefined ? {} : { dimensions: first.dimensions }),
    ...(first?.purpose === undefined ? {} : { purpose: first.purpose }),
    unread,
  }
}

const usageMetadata = (usage: Usage | undefined): Json =>
  usage ? { usageMetadata: { promptTokenCount: usage.input, totalTokenCount: usage.input } } : {}

/** `embedContent`, spoken to us: one text, one vector. */
export const embedContentCaller: EmbeddingsCaller = {
  read(body, { model }) {
    const unread: string[] = []
    return request([one(body, '', unread)], model, unread)
  },
  answer: ({ vectors, usage }) => ({ embedding: { values: vectors[0] ?? [] }, ...usageMetadata(usage) }),
}

/** `batchEmbedContents`, spoken to us. */
export const batchEmbedContentsCaller: EmbeddingsCaller = {
  read(body, { model }) {
    const unread: string[] = []
    const given = members(body, 'body')
    leave(given, new Set(['requests']), '', unread)
    const requests = list(given['requests'], 'requests')
    if (requests.length === 0) throw invalid('requests', 'a list with at least one request')
    return request(
      requests.map((it, i) => one(it, `requests.${i}`, unread)),
      model,
      unread,
    )
  },
  answer: ({ vectors, usage }) => ({ embeddings: vectors.map((values) => ({ values })), ...usageMetadata(usage) }),
}
