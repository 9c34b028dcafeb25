import { createContext, Script } from 'node:vm'
import { setImmediate } from 'node:timers/promises'
import type { SchemaCompiler } from '../core/gate/checks/check.ts'
import { re2 } from './re2.ts'

type Fits = (value: unknown) => boolean
type Compile = (schema: object) => Fits

/** A schema of a caller that is larger, as JSON text, is not compiled, characters; nor are more of them kept. */
const LARGEST = 32 * 1024
const MOST = 256
/**
 * One that takes longer to compile, or to see whether a value holds, checks nothing, ms: references that branch take time that grows
 * with the power of their depth, however short the schema is.
 */
const LONGEST = 100

const known = new Map<string, Fits | undefined>()
let compiler: Promise<Compile> | undefined

/**
 * Compiles the JSON Schemas that callers send, to see whether answers hold. Nothing of it is loaded before the first. They come from outside:
 * their time is bounded, their patterns run in linear time or not at all, references to elsewhere are not followed, and what cannot be compiled
 * checks nothing.
 */
export const schemas: SchemaCompiler = async (schema) => {
  const { $schema: _, ...rest } = schema
  const text = JSON.stringify(rest)
  if (known.has(text)) return known.get(text)
  if (text.length > LARGEST) return undefined
  const compile = await (compiler ??= start())
  // An answer may call tools of many schemas: other requests have their turn between them.
  await setImmediate()
  const validate = inTime(() => compile(rest))
  const fits = validate && ((value: unknown) => inTime(() => validate(value)) ?? giveUp(text))
  const [oldest] = known.keys()
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest)
  known.set(text, fits)
  return fits
}

/** It took too long once, and is not tried again. */
function giveUp(text: string): true {
  if (known.has(text)) known.set(text, undefined)
  return true
}

async function start(): Promise<Compile> {
  const { Ajv } = await import('ajv')
  // It is loaded outside of any bound of time.
  re2('', false)
  const regExp = Object.assign((pattern: string) => ({ test: patternOf(pattern) }), { code: 'undefined' })
  return (schema) => {
    // Each has its own, which would keep the schemas, and know their ids, for all callers.
    const ajv = new Ajv({
      meta: false,
      strict: false,
      validateSchema: false,
      validateFormats: false,
      addUsedSchema: false,
      logger: false,
      // What is referred to is compiled once. A better validator is not worth the time: few values are seen by it.
      inlineRefs: false,
      code: { regExp, optimize: false },
    })
    // Its time grows with the square of a list that a model wrote.
    ajv.removeKeyword('uniqueItems')
    const validate = ajv.compile(schema)
    return (value) => validate(value)
  }
}

const bounded: { run: () => void } = { run: () => {} }
const inside = createContext(bounded)
const script = new Script('run()')

/** What a function returns; undefined where it throws, or takes too long. */
function inTime<T>(run: () => T): T | undefined {
  let result: T | undefined
  bounded.run = () => {
    result = run()
  }
  try {
    script.runInContext(inside, { timeout: LONGEST })
    return result
  } catch {
    return undefined
  } finally {
    bounded.run = () => {}
  }
}

/** A pattern that the engine does not know holds for all. */
function patternOf(pattern: string): (text: string) => boolean {
  try {
    return re2(pattern, false)
  } catch {
    return () => true
  }
}
