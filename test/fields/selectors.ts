import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Coverage } from './coverage.ts'

/** Labels of what is to be selected. */
export const LABELS = { app: 'model', tier: 'gold' }

/**
 * The fields of a label selector at `path`. `selected` says whether something that carries `LABELS` is selected; something that carries
 * none never is, by selectors that look for a label.
 */
export function selector(path: string, selected: (t: TestContext, selector: object) => Promise<boolean>): Coverage {
  const cases = async (
    t: TestContext,
    expected: readonly (readonly [selector: object, is: boolean])[],
  ): Promise<void> => {
    for (const [it, is] of expected) assert.equal(await selected(t, it), is, JSON.stringify(it))
  }
  const one = (key: string, operator: string, values?: readonly string[]) => ({
    matchExpressions: [{ key, operator, ...(values ? { values } : {}) }],
  })
  return {
    [`${path}.matchLabels{}`]: (t) =>
      cases(t, [
        [{ matchLabels: { app: 'model' } }, true],
        [{ matchLabels: { app: 'other' } }, false],
        [{ matchLabels: { app: 'model', zone: 'a' } }, false],
      ]),
    [`${path}.matchExpressions[].key`]: (t) =>
      cases(t, [
        [one('app', 'Exists'), true],
        [one('zone', 'Exists'), false],
      ]),
    [`${path}.matchExpressions[].operator`]: (t) =>
      cases(t, [
        [one('app', 'In', ['model']), true],
        [one('app', 'NotIn', ['model']), false],
        [one('app', 'Exists'), true],
        [one('app', 'DoesNotExist'), false],
      ]),
    [`${path}.matchExpressions[].values[]`]: (t) =>
      cases(t, [
        [one('tier', 'In', ['silver', 'gold']), true],
        [one('tier', 'In', ['silver']), false],
      ]),
  }
}
