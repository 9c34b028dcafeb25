import type { ChatTarget } from '../dialect.ts'
import { readAnswer } from './read-answer.ts'
import { AnthropicReader } from './read-stream.ts'
import { writeRequest } from './write-request.ts'

/**
 * The version of the API that is spoken unless the endpoint says otherwise: the last with temperature, top_p and top_k, which the models
 * before 4.7 take (https://platform.claude.com/docs/en/api/versioning).
 */
export const VERSION = '2023-06-01'

/** Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages. Of the settings it reads `version` and `beta`. */
export const anthropicTarget: ChatTarget = {
  artefacts: ['anthropic'],
  framing: 'sse',
  write(request, context) {
    const version = typeof context.settings['version'] === 'string' ? context.settings['version'] : VERSION
    return {
      path: '/v1/messages',
      headers: ['anthropic-version', version, ...betaHeaders(context.settings['beta'])],
      ...writeRequest(request, context, version),
    }
  },
  read: readAnswer,
  reader: () => new AnthropicReader(),
}

/** The header that names betas of the API; none where there are none. */
export function betaHeaders(beta: unknown): readonly string[] {
  return Array.isArray(beta) && beta.length > 0 ? ['anthropic-beta', beta.join(',')] : []
}
