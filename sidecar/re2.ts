import { createRequire } from 'node:module'

/** What is used of the engine. */
interface Pattern {
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
 * A pattern as a test. Its engine is RE2's, which takes time in proportion to the text whatever the pattern: what a caller sends must not
 * hold up the others. It is loaded for the first pattern, being 3 MB in memory that most pods have no use for. Throws where the pattern is
 * none.
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
  return engine.compile(pattern, ignoreCase ? engine.CASE_INSENSITIVE : 0)
}
