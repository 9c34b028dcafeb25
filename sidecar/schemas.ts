import type { Ajv } from 'ajv'
import type { SchemaCompiler } from '../core/gate/checks/check.ts'
import { re2 } from './re2.ts'

type Fits = (value: unknown) => boolean

/** A schema of a caller that is larger, as JSON text, is not compiled, characters; nor are more of them kept. */
const LARGEST = 32 * 1024
const MOST = 256

const known = new Map<string, Fits | undefined>()
let compiler: Promise<Ajv> | undefined

/**
 * Compiles the JSON Schemas that callers send, to see whether answers hold. Nothing of it is loaded before the first. They come from outside:
 * their patterns run in linear time or not at all, references to elsewhere are not followed, and what cannot be compiled checks nothing.
 */
export const schemas: SchemaCompiler = async (schema) => {
  const { $schema: _, ...rest } = schema
  const text = JSON.stringify(rest)
  if (known.has(text)) return known.get(text)
  if (text.length > LARGEST) return undefined
  const ajv = await (compiler ??= start())
  let fits: Fits | undefined
  try {
    const validate = ajv.compile(rest)
    fits = (value) => validate(value)
  } catch {
    fits = undefined
  }
  const [oldest] = known.keys()
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest)
  known.set(text, fits)
  return fits
}

async function start(): Promise<Ajv> {
  const { Ajv } = await import('ajv')
  const regExp = Object.assign((pattern: string) => ({ test: patternOf(pattern) }), { code: 'undefined' })
  const ajv = new Ajv({
    strict: false,
    validateSchema: false,
    validateFormats: false,
    addUsedSchema: false,
    logger: false,
    code: { regExp },
  })
  // Its time grows with the square of a list that a model wrote.
  ajv.removeKeyword('uniqueItems')
  return ajv
}

/** A pattern that the engine does not know holds for all. */
function patternOf(pattern: string): (text: string) => boolean {
  try {
    return re2(pattern, false)
  } catch {
    return () => true
  }
}
