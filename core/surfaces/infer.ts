import type { ChatEvent } from '../chat.ts'
import { Malformed } from '../dialects/dialect.ts'
import type { Failure } from '../errors.ts'
import type { RequestFields } from '../json-fields.ts'
import { record } from '../openai-usage.ts'
import type { Found, Surface } from './surface.ts'

/** An error of the protocol: a text. */
export const inferenceErrors = {
  error: (_: Failure, words: string) => ({ body: JSON.stringify({ error: words }) }),
} as const

const MODEL = /^\/v2\/models\/([^/]+)((?:\/versions\/[^/]+)?)(|\/ready|\/infer)$/

/**
 * Open Inference Protocol v2, of KServe, Triton, Seldon, OpenVINO and others, for models that are not of language
 * (https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol). The path names the model; the body, JSON or
 * with tensors as bytes after it, is not looked into.
 */
export const infer = {
  name: 'infer',
  operation: 'infer',
  paths: [],
  find(path): Found | undefined {
    const [, name = '', version = '', what = ''] = MODEL.exec(path) ?? []
    const model = decoded(name)
    if (!model) return undefined
    return { path, method: what === '/infer' ? 'POST' : 'GET', model, rest: version + what }
  },
  reads: (): RequestFields => ({ fields: [], model: undefined, stream: false, includeUsage: false, choices: 1 }),
  watch: {
    framing: 'sse',
    reader: () => {
      throw new Error('it is never streamed')
    },
    read(body): readonly ChatEvent[] {
      const answer = record(body)
      if (!answer) throw new Malformed('It is no object.')
      if (answer['error'] !== undefined && answer['error'] !== null)
        return [{ type: 'error', body: JSON.stringify(answer) }]
      return [{ type: 'finish', choice: 0, reason: 'stop' }]
    },
    // Tensors as bytes, with `Inference-Header-Content-Length`; readiness may be a status alone.
    unread: (type) => (type === '' || type.startsWith('application/octet-stream') ? 'hold' : undefined),
    hold: 64 * 1024 * 1024,
  },
  ...inferenceErrors,
} as const satisfies Surface

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}
