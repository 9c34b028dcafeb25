import { isSpoken } from './check.ts'
import type { Check } from './check.ts'

const FENCE = /^ {0,3}(`{3,}|~{3,}) *([\w+#.-]*)[^\n`]*$/
const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }
/** Languages whose brackets pair outside of strings and comments, and whose comments and strings are these. Not Rust: its lifetimes look like strings. */
const BRACKETED = /^(js|jsx|ts|tsx|javascript|typescript|java|c|cpp|c\+\+|cs|csharp|go|kotlin|swift|scala)$/i

/**
 * A fence of code is not closed, JSON in one does not parse, or the brackets of one in a language of C's family do not pair. Parsing a
 * language for real takes a parser of each; this finds what is cut off, which is what goes wrong.
 */
export const code: Check<unknown> = {
  early: false,
  make: () => (said) => {
    if (!isSpoken(said) || !(said.text.includes('```') || said.text.includes('~~~'))) return undefined
    let open: { readonly fence: string; readonly language: string; readonly lines: string[] } | undefined
    for (const line of said.text.split('\n')) {
      const [, fence = '', language = ''] = FENCE.exec(line) ?? []
      if (!open) {
        if (fence !== '') open = { fence, language, lines: [] }
      } else if (fence.startsWith(open.fence) && language === '') {
        const wrong = judge(open.language, open.lines.join('\n'))
        if (wrong) return wrong
        open = undefined
      } else open.lines.push(line)
    }
    return open ? 'a fence of code is not closed' : undefined
  },
}

function judge(language: string, text: string): string | undefined {
  if (language.toLowerCase() === 'json') {
    try {
      JSON.parse(text)
    } catch {
      return 'JSON in a fence does not parse'
    }
  }
  return BRACKETED.test(language) && !pairs(text) ? 'the brackets of code do not pair' : undefined
}

/** Whether brackets pair outside of strings, characters, templates and comments. A regular expression may mislead it. */
function pairs(text: string): boolean {
  const open: string[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '/' && text[at + 1] === '/') at = endOr(text, text.indexOf('\n', at))
    else if (character === '/' && text[at + 1] === '*') at = endOr(text, text.indexOf('*/', at + 2)) + 1
    else if (character === '"' || character === '`') at = endOfString(text, at, character)
    else if (character === "'") at = endOfCharacter(text, at)
    else if (character === '(' || character === '[' || character === '{') open.push(character)
    else if (PAIRS[character] !== undefined && open.pop() !== PAIRS[character]) return false
  }
  return open.length === 0
}

const endOr = (text: string, found: number): number => (found < 0 ? text.length : found)

function endOfString(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) return at
    else if (text[at] === '\n' && quote !== '`') return at
  }
  return text.length
}

/** A single quote that does not close on its line is an apostrophe. */
function endOfCharacter(text: string, from: number): number {
  const end = endOfString(text, from, "'")
  return text[end] === "'" ? end : from
}
