import { stripVTControlCharacters } from 'node:util'

/** What is written to. */
interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
}

const HIDE = '\u001b[?25l'
const SHOW = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[0J'

/** Shows a text that changes, in place: each draws over the one before. What is wider or longer than the terminal is cut, since it could not be drawn over. */
export class Screen {
  readonly #terminal: Terminal
  #lines = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  draw(text: string): void {
    const { columns, rows } = this.#terminal
    const lines = text
      .trimEnd()
      .split('\n')
      .slice(0, Math.max(1, rows - 1))
      .map((line) => cut(line, columns))
    const back = this.#lines > 0 ? `\u001b[${this.#lines}A\r` : HIDE
    this.#terminal.write(`${back}${CLEAR_BELOW}${lines.join('\n')}\n`)
    this.#lines = lines.length
  }

  /** Leaves what was drawn last, and gives the cursor back. */
  close(): void {
    if (this.#lines > 0) this.#terminal.write(SHOW)
    this.#lines = 0
  }
}

/** A line that fits; one that is cut loses its colours. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line)
  return plain.length <= columns ? line : `${plain.slice(0, Math.max(0, columns - 1))}…`
}
