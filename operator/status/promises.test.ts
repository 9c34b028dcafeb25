import assert from 'node:assert/strict'
import test from 'node:test'
import type { Report } from '../../api/protocol.ts'
import { promisesOf, sumOf } from '../push/promises.ts'
import { promisesKept } from './promises.ts'

type Told = NonNullable<Report['promises']>[number]

const told = (rest: Partial<Told> = {}): Told => ({ route: 'ai/chat', rule: '0', segment: '*', audits: 40, ...rest })
const report = (promises?: readonly Told[]): Report => ({
  ...{ type: 'report', window: 5000, targets: [], models: [], age: 0 },
  ...(promises ? { promises } : {}),
})
const alarm = { from: 0.5, to: 0.7, evidence: 21.512, audits: 77 }
const kept = (...reports: Report[]) => promisesKept(promisesOf(reports), 3)

test('promises: a route that nobody audits has no condition', () => {
  assert.deepEqual(kept(report(), report([])), [])
})

test('promises: what audits speak against nowhere is kept', () => {
  const [condition] = kept(report([told()]), report([told()]))
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason, condition?.observedGeneration],
    ['PromisesKept', 'True', 'PromisesKept', 3],
  )
})

test('promises: an alarm says where, on what evidence, and what is done', () => {
  const [one] = kept(report([told({ alarm })]))
  assert.deepEqual([one?.status, one?.reason], ['False', 'PromiseBroken'])
  assert.equal(
    one?.message,
    'Rule 0: on the one sidecar that audits, cheap answers lost more than was promised (evidence 21.5 of 20, after 77 audits); requests stay cheap from score 0.7 on, before from 0.5 on. ' +
      'Train an artefact on newer data, or put the one before back: until then nothing leads forward again.',
  )
  const last = { from: 0.7, evidence: 30, audits: 12 }
  const [all] = kept(
    report([told({ segment: 'code', alarm: last })]),
    report([told({ segment: 'code', alarm })]),
    report([told({ segment: 'code' })]),
  )
  assert.match(
    all?.message ?? '',
    /^Rule 0, segment code: on 2 of 3 sidecars, .* after 12 audits\); all requests go to the strong model, before from 0\.7 on\./,
  )
})

test('promises: replicas add up to what one would have seen', () => {
  const reports = [report([told({ alarm })]), report([told()]), report([told({ rule: 'other' })])]
  assert.deepEqual(sumOf([...promisesOf(reports.slice(0, 1)), ...promisesOf(reports.slice(1))]), promisesOf(reports))
})
