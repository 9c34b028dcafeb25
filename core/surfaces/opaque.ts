import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** Whatever is none of the others: passed through by path. */
export const opaque = { name: 'opaque', operation: 'opaque', paths: [], ...openaiErrors } as const satisfies Surface
