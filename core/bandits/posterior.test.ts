import assert from 'node:assert/strict'
import test from 'node:test'
import { seeded } from '../learning/random.ts'
import { CONTEXT, PRIOR, contextReader } from './context.ts'
import { noEvidence, observe } from './evidence.ts'
import { Posterior, lowerBound, upperBound } from './posterior.ts'
import { beta, normal } from './normal.ts'

test('posterior: with a context of 1 it is the mean, the prior being worth one answer', () => {
  const [evidence, posterior] = [noEvidence(1), new Posterior(1)]
  const one = Float64Array.of(1)
  for (const reward of [1, 0, 1]) observe(evidence, one, reward)
  posterior.refresh(evidence, Float64Array.of(0.6))
  const { mean, width } = posterior.belief(one)
  assert.ok(Math.abs(mean - 2.6 / 4) < 1e-12)
  assert.ok(Math.abs(width - 0.5) < 1e-12)
})

test('posterior: it finds what the quality depends on, and is surer where it has seen more', () => {
  const random = seeded(5)
  const [evidence, posterior] = [noEvidence(3), new Posterior(3)]
  for (let i = 0; i < 2000; i++) {
    const x = Float64Array.of(1, random(), 0)
    observe(evidence, x, 0.2 + 0.6 * (x[1] ?? 0) + 0.1 * normal(random))
  }
  posterior.refresh(evidence, new Float64Array(3))
  const at = posterior.belief(Float64Array.of(1, 0.5, 0))
  assert.ok(Math.abs(at.mean - 0.5) < 0.02)
  assert.ok(posterior.belief(Float64Array.of(1, 0.5, 1)).width > 10 * at.width)
  assert.ok(lowerBound(at) < at.mean && at.mean < upperBound(at))
})

test('posterior: with nothing seen it believes the prior quality of the context', () => {
  const theta = new Float64Array(CONTEXT)
  theta[PRIOR] = 1
  const posterior = new Posterior(CONTEXT)
  posterior.refresh(noEvidence(CONTEXT), theta)
  const x = contextReader()('How many roads must a man walk down?')
  x[PRIOR] = 0.83
  assert.ok(Math.abs(posterior.belief(x).mean - 0.83) < 1e-9)
})

test('context: bounded whatever comes, and its own for different texts', () => {
  const read = contextReader()
  const long = 'prove that x^2 = y; '.repeat(100_000)
  for (const text of ['', '?', long, '木'.repeat(9000), '\u0000\ud800']) {
    const x = read(text)
    assert.equal(x.length, CONTEXT)
    assert.equal(x[0], 1)
    assert.ok(
      x.slice(2).every((value) => Math.abs(value) <= 0.3 + 1e-9),
      text.slice(0, 20),
    )
  }
  assert.notDeepEqual(read('What is the capital of France?').slice(), read('def f(x): return x + 1').slice())
})

test('draws: means and spreads are those of their distributions', () => {
  const random = seeded(11)
  const mean = (draw: () => number) => Array.from({ length: 20_000 }, draw).reduce((a, b) => a + b, 0) / 20_000
  assert.ok(Math.abs(mean(() => normal(random))) < 0.03)
  assert.ok(Math.abs(mean(() => normal(random) ** 2) - 1) < 0.05)
  for (const [a, b] of [
    [2, 3],
    [0.5, 0.5],
    [30, 10],
  ] as const) {
    assert.ok(Math.abs(mean(() => beta(a, b, random)) - a / (a + b)) < 0.01)
    const spread = mean(() => (beta(a, b, random) - a / (a + b)) ** 2)
    assert.ok(Math.abs(spread - (a * b) / ((a + b) ** 2 * (a + b + 1))) < 0.005)
  }
})
