import assert from 'node:assert/strict'
import test from 'node:test'
import { BOUNDS, CERTIFY_DEFAULTS, certify, LARGEST_PSI, voidReason } from './certificate.ts'
import type { Bound, Certificate, CertifyOptions, Outcomes, Refusal } from './certificate.ts'
import { seeded } from './random.ts'
import type { Random } from './random.ts'

const OPTIONS: CertifyOptions = { ...CERTIFY_DEFAULTS, segment: 'chat', issued: '2026-11-21' }

/** The chance that only the strong endpoint is right, at a score in [0, 1): none for sure ones, `worst` at 0. */
const risk = (score: number, worst: number): number => worst * (1 - score) ** 2

const STRONG = 0.8
/** Requests with uniform scores. The strong endpoint is right on 80 % of all; each answer of the cheap one is as good, or worse at the chance `risk`. */
function outcomes(random: Random, n: number, worst: number) {
  const score = Float64Array.from({ length: n }, random)
  const worse = Float64Array.from(score, (at) => (random() < risk(at, worst) ? 1 : 0))
  const strong = Float64Array.from(worse, (lost) => (lost === 1 || random() < STRONG ? 1 : 0))
  return { score, strong, weak: strong.map((quality, i) => quality - (worse[i] ?? 0)) }
}

const GRID = Float64Array.from({ length: 1000 }, (_, i) => i / 1000)

/** What keeping all from `threshold` on truly retains. */
function retained(threshold: number, worst: number): number {
  const lost = (worst * (1 - threshold) ** 3) / 3
  const strong = worst / 3 + (1 - worst / 3) * STRONG
  return 1 - lost / strong
}

function certificate(made: Certificate | Refusal): Certificate {
  assert.ok(made.kind === 'Certificate', JSON.stringify(made))
  return made
}

/** The share of wrong promises over as many samples of 700 rows. */
function wrong(bound: Bound, trials: number): number {
  const random = seeded(17)
  let count = 0
  for (let trial = 0; trial < trials; trial++) {
    const made = certify(outcomes(random, 700, 0.3), GRID, { ...OPTIONS, bound })
    if (made.kind === 'Certificate' && retained(made.threshold, 0.3) < OPTIONS.retain) count++
  }
  return count / trials
}

for (const bound of ['Betting', 'Bernstein'] as const) {
  test(`certificate: with the ${bound} bound, at most δ of 300 promises are wrong`, () => {
    const share = wrong(bound, 300)
    // Three standard errors above 5 % of 300.
    assert.ok(share <= 0.05 + 0.038, String(share))
  })
}

test('certificate: with the normal bound somewhat more are wrong where a loss is rare, which is why it is not the default', () => {
  const share = wrong('Normal', 400)
  assert.ok(share <= 0.13, String(share))
  assert.equal(CERTIFY_DEFAULTS.bound, 'Betting')
})

test('certificate: the threshold whose mean looks right is wrong far more often', () => {
  const random = seeded(17)
  let missed = 0
  for (let trial = 0; trial < 400; trial++) {
    const { score, weak, strong } = outcomes(random, 700, 0.3)
    const order = [...score.keys()].sort((a, b) => (score[b] ?? 0) - (score[a] ?? 0))
    const allowed = 0.02 * strong.reduce((sum, quality) => sum + quality, 0)
    let [lost, threshold] = [0, 1]
    for (const i of order) {
      lost += (strong[i] ?? 0) - (weak[i] ?? 0)
      if (lost <= allowed) threshold = score[i] ?? 0
    }
    if (retained(threshold, 0.3) < OPTIONS.retain) missed++
  }
  assert.ok(missed / 400 > 0.3, String(missed))
})

test('certificate: rows that come sorted by task promise no more than the same rows by lot', () => {
  const random = seeded(41)
  const easy = outcomes(random, 600, 0)
  const hard = outcomes(random, 600, 0.5)
  const joined = (of: 'score' | 'weak' | 'strong'): Float64Array => Float64Array.from([...easy[of], ...hard[of]])
  const sorted = { score: joined('score'), weak: joined('weak'), strong: joined('strong') }
  const made = certificate(certify(sorted, GRID, OPTIONS))
  const lost = (0.5 * (0.5 * (1 - made.threshold) ** 3)) / 3
  assert.ok(lost <= 0.02 * STRONG, JSON.stringify(made))
})

test('certificate: more rows keep more requests cheap, up to what is true', () => {
  const share = (bound: Bound, n: number): number =>
    certificate(certify(outcomes(seeded(23), n, 0.3), GRID, { ...OPTIONS, bound })).share
  for (const bound of BOUNDS) assert.ok(share(bound, 20_000) > share(bound, 1500), bound)
  const best = 1 - (GRID.find((threshold) => retained(threshold, 0.3) >= OPTIONS.retain) ?? 1)
  assert.ok(share('Normal', 20_000) > 0.9 * best, `${share('Normal', 20_000)} of ${best}`)
})

test('certificate: it says what it was made from, what it promises, and for how long', () => {
  const rows = outcomes(seeded(5), 2000, 0.3)
  const made = certificate(certify(rows, GRID, OPTIONS))
  assert.equal(made.n, 2000)
  assert.equal(made.segment, 'chat')
  assert.equal(made.issued, '2026-11-21')
  assert.equal(made.expires, '2027-02-19')
  assert.ok(made.loss < made.upper && made.upper <= made.epsilon, JSON.stringify(made))
  assert.deepEqual(made.safe.at(-1), { threshold: made.threshold, share: made.share })
  for (const [i, { threshold, share }] of made.safe.entries()) {
    const next = made.safe[i + 1] ?? { threshold: 0, share: 1 }
    assert.ok(next.threshold < threshold && next.share > share)
  }
  const kept = rows.score
  assert.equal(made.share, kept.filter((score) => score >= made.threshold).length / 2000)
})

test('certificate: a pair whose cheap endpoint is as good keeps everything cheap', () => {
  assert.equal(certificate(certify(outcomes(seeded(2), 1000, 0), GRID, OPTIONS)).share, 1)
})

test('certificate: it refuses with a reason where the data carry no promise', () => {
  const refusal = (rows: Outcomes, options: Partial<CertifyOptions> = {}): Refusal => {
    const made = certify(rows, GRID, { ...OPTIONS, ...options })
    assert.ok(made.kind === 'Refusal', JSON.stringify(made))
    return made
  }
  assert.equal(refusal(outcomes(seeded(1), 499, 0.1)).reason, 'too-few-rows')
  assert.match(refusal(outcomes(seeded(1), 499, 0.1)).message, /^499 rows with both answers; 500 are needed\.$/)
  const few = certify(outcomes(seeded(1), 600, 0.1), GRID.subarray(0, 40), OPTIONS)
  assert.ok(few.kind === 'Refusal' && few.reason === 'too-few-rows', JSON.stringify(few))
  assert.equal(refusal(outcomes(seeded(1), 2000, 0.9)).reason, 'far-pair')
  const blind = outcomes(seeded(1), 2000, 0.45)
  assert.equal(
    refusal({ ...blind, score: Float64Array.from({ length: 2000 }, seeded(99)) }).reason,
    'no-safe-threshold',
  )
  assert.equal(refusal(outcomes(seeded(1), 600, 0.3), { retain: 0.9999 }).reason, 'no-safe-threshold')
})

test('certificate: what always goes to the strong endpoint counts as such', () => {
  const rows = outcomes(seeded(4), 2000, 0)
  const half = Float64Array.from(rows.score, (score, i) => (i % 2 === 0 ? -Infinity : score))
  const made = certificate(certify({ ...rows, score: half }, half, OPTIONS))
  assert.equal(made.share, 0.5)
})

test('certificate: it is void once expired, and where scores have shifted', () => {
  const made = certificate(certify(outcomes(seeded(5), 2000, 0.3), GRID, OPTIONS))
  const [before, after] = [Date.parse('2027-02-18T23:59:59Z'), Date.parse('2027-02-19')]
  assert.equal(voidReason(made, before, 0), undefined)
  assert.equal(voidReason(made, after, 0), 'expired')
  assert.equal(voidReason(made, before, LARGEST_PSI + 0.01), 'scores-shifted')
})
