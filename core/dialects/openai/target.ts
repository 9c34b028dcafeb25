import type { ArtefactFormat } from '../../chat.ts'
import type { ChatTarget } from '../dialect.ts'
import { compatibleOptions, openaiOptions } from './options.ts'
import type { Options } from './options.ts'
import { OpenAIReader, readAnswer } from './read-answer.ts'
import { writeRequest } from './write-request.ts'

/** The target of a server of OpenAI's dialect, as `options` say it differs. */
export function openaiChat(options: Options): ChatTarget {
  return {
    artefacts: artefactsOf(options),
    framing: 'sse',
    write: (request, { model }) => writeRequest(request, model, options),
    read: (body, { requestId }) => readAnswer(body, requestId),
    reader: ({ requestId }) => new OpenAIReader(requestId),
  }
}

/** Ids of files are OpenAI's; a server that takes thoughts in detail stands before others, and hands each its own. */
function artefactsOf({ files, thoughts }: Options): readonly ArtefactFormat[] {
  if (thoughts === 'reasoning_details') return ['openai', 'anthropic', 'gemini']
  return files ? ['openai'] : []
}

/** OpenAI's own chat completions. */
export const openaiTarget: ChatTarget = openaiChat(openaiOptions)

/** Those of servers at an address of their own. */
export const compatibleTarget: ChatTarget = openaiChat(compatibleOptions)
