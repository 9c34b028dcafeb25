import { createRequire } from 'node:module'
import { LARGEST_PATTERN } from '../core/match/pattern.ts'

/** What is used of the engine. */
interface Pattern {
  programSize(): number
  test(text: string): boolean
  matcher(text: string): { replaceAll(replacement: string): string }
}
interface Re2 {
  readonly RE2JS: {
    readonly CASE_INSENSITIVE: number
    compile(pattern: string, flags?: number): Pattern
  }
}

const load = createRequire(import.meta.url)
let engine: Re2['RE2JS'] | undefined

/**
 * A pattern as a test. Its engine is RE2's, which takes time in proportion to the text and to the size of the pattern, which is bounded: what a caller sends must not
 * hold up the others. It is loaded for the first pattern, being 3 MB in memory that most pods have no use for. Throws where the pattern is
 * none, or too large.
 */
export function re2(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  const compiled = compile(pattern, ignoreCase)
  return (text) => compiled.test(text)
}

/** The same as a replacement of whatever it matches. */
export function re2Replace(pattern: string, replacement: string): (text: string) => string {
  const compiled = compile(pattern, false)
  return (text) => compiled.matcher(text).replaceAll(replacement)
}

function compile(pattern: string, ignoreCase: boolean): Pattern {
  engine ??= (load('re2js') as Re2).RE2JS // the package has no types by this way
  const compiled = engine.compile(pattern, ignoreCase ? engine.CASE_INSENSITIVE : 0)
  if (compiled.programSize() > LARGEST_PATTERN) throw new Error(`the pattern is too large: ${pattern}`)
  return compiled
}
