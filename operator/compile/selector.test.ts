import assert from 'node:assert/strict'
import test from 'node:test'
import type { LabelSelector } from '../../api/selector.ts'
import { admits, selects } from './selector.ts'

const labels = { app: 'web', track: 'stable' }
const expression = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  values?: string[],
): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values ? { values } : {}) }],
})
const cases: readonly [title: string, selector: LabelSelector, selected: boolean][] = [
  ['an empty one selects everything', {}, true],
  ['a label with its value', { matchLabels: { app: 'web' } }, true],
  ['a label with another value', { matchLabels: { app: 'api' } }, false],
  ['all labels are needed', { matchLabels: { app: 'web', zone: 'a' } }, false],
  ['In', expression('app', 'In', ['api', 'web']), true],
  ['In, not among them', expression('app', 'In', ['api']), false],
  ['In, no such label', expression('zone', 'In', ['a']), false],
  ['NotIn', expression('app', 'NotIn', ['api']), true],
  ['NotIn, among them', expression('app', 'NotIn', ['web']), false],
  ['NotIn, no such label', expression('zone', 'NotIn', ['a']), true],
  ['Exists', expression('track', 'Exists'), true],
  ['Exists, no such label', expression('zone', 'Exists'), false],
  ['DoesNotExist', expression('zone', 'DoesNotExist'), true],
  ['DoesNotExist, there it is', expression('app', 'DoesNotExist'), false],
  ['labels and expressions', { matchLabels: { app: 'web' }, ...expression('track', 'NotIn', ['stable']) }, false],
]
for (const [title, selector, selected] of cases)
  test(`selector: ${title}`, () => assert.equal(selects(selector, labels), selected))

test('policy: the own namespace always; others by name, by label, or all', () => {
  const namespaces = new Map([['b', { name: 'b', labels: { tier: 'gold' } }]])
  const asks = (policy: Parameters<typeof admits>[0], visitor: string) => admits(policy, 'a', visitor, namespaces)
  const by = (matchLabels: Record<string, string>) => ({
    namespaces: { from: 'Selector' as const, selector: { matchLabels } },
  })
  assert.equal(asks({ namespaces: { from: 'Same' } }, 'a'), true)
  assert.equal(asks({ namespaces: { from: 'Same' } }, 'b'), false)
  assert.equal(asks({ namespaces: { from: 'All' } }, 'c'), true)
  assert.equal(asks(by({ tier: 'gold' }), 'b'), true)
  assert.equal(asks(by({ tier: 'gold' }), 'c'), false)
  assert.equal(asks(by({ 'kubernetes.io/metadata.name': 'c' }), 'c'), true)
})
