import { styleText } from 'node:util'
import { Option } from 'commander'
import { dump } from 'js-yaml'

export const OUTPUTS = ['table', 'json', 'yaml'] as const
export type Output = (typeof OUTPUTS)[number]

/** The option `-o`, the same for every command that prints data. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices(OUTPUTS).default('table')
}

/** Prints a value: as data, or by `table` for the eye. */
export function print(value: unknown, output: Output, table: () => string): void {
  const text =
    output === 'json'
      ? `${JSON.stringify(value, null, 2)}\n`
      : output === 'yaml'
        ? dump(value, { noRefs: true })
        : table()
  process.stdout.write(text)
}

/** Rows in columns, the first row bold. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows
    .map((row, index) => {
      const line = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd((widths[at] ?? 0) + 2))).join('')
      return `${index === 0 ? paint('bold', line) : line}\n`
    })
    .join('')
}

/** Colour where standard output is a terminal and NO_COLOR does not say otherwise. */
export function paint(style: 'bold' | 'red' | 'yellow' | 'green' | 'dim', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}
