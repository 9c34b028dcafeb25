/** Of longer texts, this much is looked at: what a caller sends must not decide how long others wait. UTF-16 units. */
const HEAD = 24 * 1024
const TAIL = 8 * 1024

/** A text as far as words and patterns look into it: the first 24 Ki and the last 8 Ki of its units, a line break between. */
export class LookedAt {
  readonly text: string
  private inLowerCase: string | undefined

  constructor(text: string) {
    this.text = text.length <= HEAD + TAIL ? text : `${text.slice(0, HEAD)}\n${text.slice(-TAIL)}`
  }

  get lower(): string {
    this.inLowerCase ??= this.text.toLowerCase()
    return this.inLowerCase
  }
}
