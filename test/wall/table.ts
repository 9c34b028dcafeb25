import { scenarios } from './scenarios.ts'
import { callers } from './surfaces.ts'
import type { Brick } from './wall.ts'

interface Result {
  readonly brick: Brick
  readonly good: boolean
}

/** The page of the wall, in Markdown: of each fault and each caller how many of the requests came out as they should. */
export function table(results: readonly Result[]): string {
  const head = ['What a target does', 'fault', ...callers.map(({ name }) => name)]
  const rows = scenarios.map((scenario) => {
    const cells = callers.map((caller) => {
      const own = results.filter(({ brick }) => brick.scenario === scenario && brick.caller === caller)
      return `${own.filter(({ good }) => good).length}/${own.length}`
    })
    return [scenario.what, `\`${scenario.fault}\``, ...cells]
  })
  const good = results.filter((it) => it.good).length
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return `<!-- Made by UPDATE=1 node test/wall/wall.test.ts from what passed; not to be edited. -->

# The failure wall

Every fault below × every surface × streamed or not × of the first target or of all targets × both targets of one provider or of two: ${results.length} requests,
of which ${good} came out as they should. While a healthy target remains that is a whole answer with the very text of an undisturbed request; else an error in the
caller's own dialect, whole or in the stream, and never a clean end of a truncated answer.

Streams that stop after their first word are gone on with by the second target where it takes the beginning of an answer, else joined to the same answer from it.

${line(head)}
${line(head.map((_, i) => (i < 2 ? '---' : ':---:')))}
${rows.map(line).join('\n')}

[What happens for each failure](failures.md).
`
}
