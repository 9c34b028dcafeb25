import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { Counter } from '../../core/evidence/counter.ts'
import { MIRROR_ARMS } from '../../core/mirror/arms.ts'
import { seeded } from '../../core/learning/random.ts'
import { mirrorStatusOf } from './mirrors.ts'

// Of a rule only these are looked at.
const rule = {
  name: 'all',
  mirror: { version: 'm.1', by: { endpoint: 'ai/b', model: '' }, budget: { spendPercent: 10 } },
} as unknown as CompiledRule

/** Pairs of which `marked` of a hundred are marked: those that are alike get equal marks, of the others the candidate's are 0.2 less. */
function found(pairs: number, marked: number, agreement: number) {
  const random = seeded(1)
  const arms = new Map<string, Counter>(Object.values(MIRROR_ARMS).map((arm) => [arm, new Counter()]))
  const add = (arm: string, quality: number): void => {
    arms.get(arm)?.add({})
    arms.get(arm)?.rate(quality)
  }
  for (let i = 0; i < pairs; i++) {
    const alike = random() < agreement
    add(MIRROR_ARMS.markable, alike ? 1 : 0)
    const lead = (alike ? 0 : -0.2) + 0.1 * (random() - 0.5)
    if (random() * 100 < marked) add(alike ? MIRROR_ARMS.leadAlike : MIRROR_ARMS.leadUnlike, (1 + lead) / 2)
  }
  return mirrorStatusOf(
    'ai/chat',
    rule,
    () => arms,
    (endpoint) => endpoint,
  )?.lead
}

test('mirror: the candidate’s lead by marks of some pairs and agreement of all, with bounds that hold it', () => {
  const lead = found(4000, 10, 0.7)
  assert.ok(lead)
  const [estimate, lower, upper] = [lead.estimate, lead.lower, lead.upper].map(Number)
  assert.ok(Math.abs((estimate ?? 0) + 0.06) < 0.02, lead.estimate)
  assert.ok((lower ?? 0) < -0.06 && (upper ?? -1) > -0.06, `${lower} ${upper}`)
  assert.ok((upper ?? 0) - (lower ?? 0) < 0.12)
})

test('mirror: with few marks nothing is said of a lead', () => {
  assert.equal(found(100, 10, 0.7), undefined)
  assert.equal(found(0, 10, 0.7), undefined)
})
