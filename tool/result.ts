/** One test, or one check that counts as a test. */
export interface Result {
  readonly file: string
  readonly name: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  readonly message?: string
}

/** The last line of a run. */
export function tally(results: readonly Result[]): string {
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}

/** What went wrong, compactly: a line for each test and its message below. */
export function failures(results: readonly Result[]): string {
  return results
    .filter(({ status }) => status === 'failed')
    .map(({ file, name, message = '' }) => `✖ ${file} › ${name}\n${message.trim().replace(/^/gm, '    ')}\n`)
    .join('\n')
}
