import { scenarios } from './said.ts'
import type { Scenario } from './said.ts'

/** Whether a cell passed, by `language caller|target|scenario`. */
export type Cells = Map<string, boolean>

const columns: Readonly<Record<Scenario, string>> = {
  text: 'text with a system prompt',
  tools: 'two tool calls at once, beside text, with parsed arguments',
  results: 'the answer to the results of both',
  image: 'an image',
}

interface Named {
  readonly name: string
}

/** The page of the matrix: a tick where all scenarios passed whole and streamed, else those that did. */
export function table(
  cells: Cells,
  targets: readonly Named[],
  languages: readonly string[],
  callers: readonly Named[],
): string {
  const mark = (row: string, column: string): string => {
    const passed = scenarios.filter((scenario) => cells.get(`${row}|${column}|${scenario}`))
    return passed.length === scenarios.length ? '✓' : passed.length === 0 ? '–' : passed.join(', ')
  }
  const rows = languages.flatMap((language) =>
    callers.map(({ name }) => {
      const marks = targets.map((target) => mark(`${language} ${name}`, target.name))
      return `| ${name} (${language}) | ${marks.join(' | ')} |`
    }),
  )
  return `<!-- Generated from what passes by \`UPDATE=1 node --test test/sdk/matrix/matrix.test.ts\`; do not edit. -->

# Who can call whom

Rows are the official SDKs as apps use them, unchanged, with their base URL pointed at Tradewind; columns are the providers that answer. A ✓ says
that each of these passed, whole and streamed, with the same answer, finish reason and usage both ways: ${Object.values(columns).join('; ')}.
The providers are simulated, and refuse what the real ones are documented to refuse.

| caller | ${targets.map(({ name }) => name).join(' | ')} |
| --- |${targets.map(() => ' --- |').join('')}
${rows.join('\n')}
`
}
