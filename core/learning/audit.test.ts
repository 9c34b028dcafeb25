import assert from 'node:assert/strict'
import test from 'node:test'
import { Audit, AUDIT_DEFAULTS } from './audit.ts'
import type { AuditOptions } from './audit.ts'
import { seeded } from './random.ts'

const OPTIONS: AuditOptions = {
  ...AUDIT_DEFAULTS,
  step: 0.005,
  epsilon: 0.016,
  safe: [0.9, 0.8, 0.7, 0.6, 0.5].map((threshold) => ({ threshold, share: 1 - threshold })),
}

/** Audits requests with uniform scores that stay cheap; `risk` is the chance at a score that the cheap answer alone is wrong. */
function audited(audit: Audit, count: number, seed: number, risk: (score: number) => number): number {
  const random = seeded(seed)
  let alarms = 0
  for (let done = 0; done < count;) {
    const score = random()
    if (score < audit.verdict.threshold) {
      if (audit.verdict.threshold === Infinity) break
      continue
    }
    done++
    if (audit.update(score, random() < risk(score) ? 1 : 0).alarm) alarms++
  }
  return alarms
}

test('audit: a threshold that keeps its promise is alarmed about in at most α of 200 lives', () => {
  let alarmed = 0
  for (let life = 0; life < 200; life++) {
    // At the edge of what may be lost: 0.016 ÷ 0.5.
    if (audited(new Audit({ ...OPTIONS, step: 0 }), 1000, life, () => 0.032) > 0) alarmed++
  }
  assert.ok(alarmed / 200 <= 0.05 + 0.046, String(alarmed))
})

test('audit: where the less sure half goes wrong, it steps back to what the audits do not speak against, and stays', () => {
  const audit = new Audit({ ...OPTIONS, step: 0 })
  const alarms = audited(audit, 4000, 3, (score) => (score < 0.7 ? 0.3 : 0.005))
  assert.ok(alarms >= 1 && alarms <= 2, String(alarms))
  assert.equal(audit.verdict.threshold, 0.7)
})

test('audit: where everything goes wrong, all goes to the strong endpoint, and no further audit changes that', () => {
  const audit = new Audit(OPTIONS)
  audited(audit, 4000, 5, () => 0.5)
  assert.equal(audit.verdict.threshold, Infinity)
  assert.deepEqual(audit.update(0.99, -1), { threshold: Infinity, evidence: 0 })
})

test('audit: an alarm says from where and on what evidence', () => {
  const audit = new Audit({ ...OPTIONS, step: 0 })
  let verdict = audit.verdict
  for (let at = 0; at < 200 && !verdict.alarm; at++) verdict = audit.update(0.55, 1)
  assert.equal(verdict.alarm?.from, 0.5)
  assert.ok((verdict.alarm?.evidence ?? 0) >= 1 / OPTIONS.alpha)
  // Nothing was ever said against scores of 0.6 and more.
  assert.equal(verdict.threshold, 0.6)
})

test('audit: drift raises the threshold to the most cautious one at most, so that there is always something to audit', () => {
  const audit = new Audit({ ...OPTIONS, alpha: 1e-300 })
  for (let at = 0; at < 500; at++) audit.update(0.95, 1)
  assert.equal(audit.verdict.threshold, 0.9)
})

test('audit: slow drift raises the threshold, good answers lower it again, never below what is certified', () => {
  const audit = new Audit({ ...OPTIONS, alpha: 1e-9 })
  for (let at = 0; at < 10; at++) audit.update(0.8, 1)
  const raised = audit.verdict.threshold
  assert.ok(Math.abs(raised - (0.5 + 10 * 0.005 * (1 - 0.032))) < 1e-9, String(raised))
  for (let at = 0; at < 1000; at++) audit.update(0.8, 0)
  assert.equal(audit.verdict.threshold, 0.5)
})
