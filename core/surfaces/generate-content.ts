import { geminiCaller } from '../dialects/gemini/caller.ts'
import { googleErrors } from '../dialects/gemini/error.ts'
import { foundAt } from '../dialects/gemini/paths.ts'
import { GeminiReader } from '../dialects/gemini/reader.ts'
import { readWhole } from '../dialects/gemini/target.ts'
import type { Surface } from './surface.ts'

/** https://ai.google.dev/api/generate-content: `generateContent`, and `streamGenerateContent?alt=sse`, as every SDK asks for streams. */
export const generateContent = {
  name: 'generate_content',
  operation: 'chat',
  paths: [],
  find: (path, query) =>
    foundAt(path, 'generateContent', false) ??
    (new URLSearchParams(query).get('alt') === 'sse' ? foundAt(path, 'streamGenerateContent', true) : undefined),
  chat: geminiCaller,
  // Ids are of no account here: the answer passes as it is.
  watch: { framing: 'sse', reader: () => new GeminiReader(''), read: (body) => readWhole(body, '') },
  ...googleErrors,
} as const satisfies Surface
