import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VERBS } from '../../core/rollout/state.ts'
import { needs } from '../helpers/needs.ts'
import { find, render, type Rendered } from './chart.ts'

const skip = needs('helm')

interface Rule {
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}
const rulesOf = (role: Rendered) => role['rules'] as readonly Rule[] // a role has them

test('people: one role moves rollouts, by every verb that there is, and edits nothing', { skip }, async () => {
  const objects = await render()
  const role = find(objects, 'ClusterRole', '-rollouts-tradewind-system')
  assert.deepEqual(
    rulesOf(role).map(({ resources }) => resources),
    [['rollouts'], ['configmaps']],
  )
  assert.deepEqual(rulesOf(role)[1]?.verbs, ['get', 'list'])
  assert.deepEqual([...(rulesOf(role)[0]?.verbs ?? [])].sort(), ['get', 'list', 'watch', ...VERBS].sort())
  for (const other of ['-view-tradewind-system', '-edit-tradewind-system'])
    for (const { verbs } of rulesOf(find(objects, 'ClusterRole', other)))
      assert.deepEqual(
        verbs.filter((verb) => VERBS.some((it) => it === verb)),
        [],
        other,
      )
})

test('people: the cluster’s own roles have them, those who edit without moving rollouts', { skip }, async () => {
  const aggregated = (await render()).flatMap(({ kind, metadata: { name, labels = {} } }) =>
    Object.keys(labels)
      .filter((label) => label.includes('aggregate-to-'))
      .map((label) => `${kind} ${name} ${label.replace(/.*aggregate-to-/, '')}`),
  )
  assert.deepEqual(aggregated.sort(), [
    'ClusterRole tradewind-edit-tradewind-system edit',
    'ClusterRole tradewind-rollouts-tradewind-system admin',
    'ClusterRole tradewind-view-tradewind-system view',
  ])
})

test('people: with watchNamespaces the roles are in those namespaces alone', { skip }, async () => {
  const objects = await render({ watchNamespaces: ['team-a', 'team-b'] })
  for (const role of ['tradewind-view', 'tradewind-edit', 'tradewind-rollouts'])
    assert.deepEqual(
      objects
        .filter(({ kind, metadata }) => kind === 'Role' && metadata.name === role)
        .map(({ metadata }) => metadata.namespace),
      ['team-a', 'team-b'],
    )
})
