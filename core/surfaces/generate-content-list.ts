import { geminiCaller } from '../dialects/gemini/caller.ts'
import { googleErrors } from '../dialects/gemini/error.ts'
import { foundAt } from '../dialects/gemini/paths.ts'
import { generateContent } from './generate-content.ts'
import type { Surface } from './surface.ts'

/**
 * `streamGenerateContent` without `alt=sse`, which answers with a list of chunks as one JSON text. Nothing in it can be used before it is
 * all there, so other providers are asked for a whole answer, which is the one chunk of the list.
 */
export const generateContentList = {
  name: 'generate_content_list',
  operation: 'chat',
  paths: [],
  find: (path) => foundAt(path, 'streamGenerateContent', false),
  chat: { ...geminiCaller, answer: (answer, context) => [geminiCaller.answer(answer, context)] },
  watch: generateContent.watch,
  error: (failure, words, requestId) => ({ body: `[${googleErrors.error(failure, words, requestId).body}]` }),
} as const satisfies Surface
