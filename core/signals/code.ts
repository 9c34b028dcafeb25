/** Of long texts, this much at the beginning and at the end is looked at, UTF-16 units. */
const LOOKED_AT = 8192

/** What hardly stands in anything but source code; each is counted once. */
const MARKS: readonly RegExp[] = [
  /^[ \t]*(?:def|class|import|from|func|fn|let|const|var|public|private|package|using|namespace) [\w.{*"'<]/m,
  /[;{}][ \t]*$/m,
  /^[ \t]*(?:\/\/|#include|#!\/|\/\*|@\w+$)/m,
  /\w\([^()\n]{0,80}\)[ \t]*(?:[;{:]|=>|->)/,
  /(?:=>|->|::|==|!=|&&|\|\||\+=|<\/\w)/,
  /\b(?:return|function|SELECT [^\n]{1,80} FROM|INSERT INTO|CREATE TABLE|#define|elif|printf|console\.log)\b/,
  /^(?:Traceback \(most recent call last\)|[ \t]+at [\w.$<>]+\()/m,
]

/** Of the characters that code is full of, fewer than this are no three marks; most prose is told by them alone. */
const LEAST = 3
const OF_CODE = Uint8Array.from({ length: 128 }, (_, code) =>
  '(){};=<>#/&|@'.includes(String.fromCharCode(code)) ? 1 : 0,
)

/** How many there are, up to `LEAST`. */
function punctuated(text: string): number {
  let count = 0
  for (let at = 0; at < text.length && count < LEAST; at++) count += OF_CODE[text.charCodeAt(at)] ?? 0
  return count
}

/** Whether a text holds source code: a fence of Markdown, or at least three different marks of it. */
export function hasCode(text: string): boolean {
  if (text.includes('```')) return true
  if (punctuated(text) < LEAST) return false
  const seen = text.length <= 2 * LOOKED_AT ? text : `${text.slice(0, LOOKED_AT)}\n${text.slice(-LOOKED_AT)}`
  let marks = 0
  for (const mark of MARKS) if (mark.test(seen) && ++marks === 3) return true
  return false
}
