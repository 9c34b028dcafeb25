/**
 * The short answer that a text comes to, in a form that two answers share where they say the same: of JSON the field named so, `\boxed{…}`, what follows
 * `####` or "the answer is", else the last line where it is short. Empty where it comes to none. Takes the first and last 8,192 UTF-16 units.
 */
export function answerKey(text: string): string {
  const read = text.length <= 2 * MOST ? text : text.slice(0, MOST) + '\n' + text.slice(-MOST)
  for (const pattern of [FIELD_TEXT, FIELD_OTHER, BOXED, MARKED, SAID]) {
    const found = lastOf(read, pattern)
    if (found !== undefined) return folded(found)
  }
  const line = read.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return line.length <= SHORT ? folded(line) : ''
}

const MOST = 8192
const SHORT = 80

const FIELD_TEXT = /"(?:answer|final_answer|result|label|solution)"\s*:\s*"((?:[^"\\]|\\.){0,400})"/gi
const FIELD_OTHER = /"(?:answer|final_answer|result|label|solution)"\s*:\s*([^"\s][^\n]{0,200}?)\s*[,}\n]/gi
const BOXED = /\\boxed\s*\{([^{}]{1,200}(?:\{[^{}]{0,100}\}[^{}]{0,100}){0,4})\}/g
const MARKED = /^####\s*(.{1,200})$/gm
const SAID = /\banswer\s*(?:is|:|=)\s*\**\s*([^\n]{1,80}?)\s*(?:\.\s|\.?\s*$)/gim

function lastOf(text: string, pattern: RegExp): string | undefined {
  let found: string | undefined
  for (const match of text.matchAll(pattern)) found = match[1] ?? found
  return found
}

/** Without case, blanks, quotes, TeX's dollars and spaces, thousands' commas and zeros after the point: `"1,200.0 "` is `1200`. */
function folded(answer: string): string {
  return answer
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\\(?:text|mathrm|left|right|,|!|;|\s)|\\+(?=["'])/g, '')
    .replace(/\\d?frac\{([^{}]*)\}\{([^{}]*)\}/g, '$1/$2')
    .replace(/["'`\s$*]/g, '')
    .replace(/,(?=\d{3}(?:\D|$))/g, '')
    .replace(/(?<=\d)(\.\d*?)0+(?!\d)/g, '$1')
    .replace(/(?<=\d)\.(?!\d)/g, '')
    .replace(/(?<!\.)\.$/, '')
}
