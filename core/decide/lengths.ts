/** What an answer is taken to be before any was seen, tokens. */
const UNSEEN = 256
/** What the newest answer counts for, beside the average of those before it. */
const WEIGHT = 0.05
/** More kinds of task than a route tells apart. */
const MOST_TASKS = 64

/** How long the answers of a model are, tokens: a moving average for each task, and one over all. */
export class Lengths {
  private readonly means = new Map<string, number>()

  /** An answer of so many tokens was seen. */
  observe(task: string, tokens: number): void {
    this.move('', tokens)
    if (task !== '' && (this.means.has(task) || this.means.size < MOST_TASKS)) this.move(task, tokens)
  }

  /** What the next is expected to be; undefined where none was seen. */
  expect(task: string): number | undefined {
    return this.means.get(task) ?? this.means.get('')
  }

  private move(task: string, tokens: number): void {
    const mean = this.means.get(task)
    this.means.set(task, mean === undefined ? tokens : mean + WEIGHT * (tokens - mean))
  }
}

/** The same over several targets, where one has not been seen yet: answers to the same questions are of a length. */
export function expectedLength(
  task: string,
  own: Lengths,
  others: readonly { readonly model: { readonly state: { readonly lengths: Lengths } } }[],
): number {
  const known = own.expect(task)
  if (known !== undefined) return known
  const seen = others.map(({ model }) => model.state.lengths.expect(task)).filter((length) => length !== undefined)
  return seen.length === 0 ? UNSEEN : seen.reduce((sum, length) => sum + length, 0) / seen.length
}
