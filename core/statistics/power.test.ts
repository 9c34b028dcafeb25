import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter } from '../evidence/counter.ts'
import type { Sample } from '../evidence/counter.ts'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { Guardrail } from './guardrail.ts'
import { samplesToClear, samplesToFind } from './power.ts'
import type { Question } from './power.ts'

const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const question: Question = {
  metric: 'ErrorRate',
  margin: 0.01,
  alpha: 0.05,
  share: 1,
  usual: 0.02,
  ratio: 1,
  power: 0.8,
}

/** An exchange of an arm that is worse by so much. */
type Draw = (random: Random, worse: number) => Sample & { readonly mark?: number }
const cases: readonly (readonly [question: Partial<Question>, size: number, draw: Draw])[] = [
  [{}, 0.05, (random, worse) => ({ error: random() < 0.02 + worse })],
  [{ share: 1 / 7 }, 0.05, (random, worse) => ({ error: random() < 0.02 + worse })],
  [{ ratio: 19, margin: 0.02 }, 0.05, (random, worse) => ({ error: random() < 0.02 + worse })],
  [
    { metric: 'Latency', margin: 0.2, usual: 0.3 },
    0.5,
    (random, worse) => ({ latency: 500 * (1 + worse) * Math.exp(0.3 * gaussian(random)) }),
  ],
  [
    { metric: 'Cost', margin: 0.2, usual: 0.7 },
    0.5,
    (random, worse) => ({ cost: 0.01 * (1 + worse) * Math.exp(0.63 * gaussian(random)) }),
  ],
  [
    { metric: 'Quality', margin: 0.03, usual: 0.2 },
    0.1,
    (random, worse) => ({ mark: Math.min(1, Math.max(0, 0.6 - worse + 0.2 * gaussian(random))) }),
  ],
]

function share(runs: number, asked: Question, size: number, n: number, draw: Draw, is: (it: Guardrail) => boolean) {
  let count = 0
  for (let run = 0; run < runs; run++) {
    const random = seeded(run + 1)
    const [canary, stable] = [new Counter(), new Counter()]
    const guardrail = new Guardrail(asked)
    const add = (counter: Counter, worse: number): void => {
      const { mark, ...sample } = draw(random, worse)
      counter.add(sample)
      if (mark !== undefined) counter.rate(mark)
    }
    for (let at = 0; at < n && !is(guardrail); at += 10) {
      for (let i = 0; i < 10; i++) add(canary, size)
      for (let i = 0; i < 10 * asked.ratio; i++) add(stable, 0)
      guardrail.update({ canary, stable })
    }
    if (is(guardrail)) count++
  }
  return count / runs
}

for (const [part, size, draw] of cases) {
  const asked = { ...question, ...part }
  const name = `${asked.metric}, margin ${asked.margin}, 1 to ${asked.ratio}, α ${(asked.alpha * asked.share).toFixed(3)}`

  test(`as many as are said find the harm with about the power that is asked for: ${name}`, () => {
    const n = samplesToFind(asked, size)
    const found = share(60, asked, size, n, draw, ({ reading }) => reading.evidence >= reading.needs)
    assert.ok(found >= 0.65, `${found} of ${n}`)
    // Nor are they far too many.
    const half = share(60, asked, size, n / 3, draw, ({ reading }) => reading.evidence >= reading.needs)
    assert.ok(half <= 0.65, `${half} of ${n / 3}`)
  })

  test(`as many as are said exclude harm where there is none: ${name}`, () => {
    const n = samplesToClear(asked)
    const cleared = share(40, asked, 0, n, draw, ({ harmless }) => harmless)
    assert.ok(cleared >= 0.65, `${cleared} of ${n}`)
    const half = share(40, asked, 0, n / 4, draw, ({ harmless }) => harmless)
    assert.ok(half <= 0.65, `${half} of ${n / 4}`)
  })
}

test('more power, less α, and smaller harm take more; what is no harm is never found', () => {
  for (const metric of ['ErrorRate', 'Latency', 'Cost', 'Quality'] as const) {
    const asked = { ...question, metric, usual: metric === 'ErrorRate' ? 0.02 : 0.5 }
    const n = samplesToFind(asked, 0.1)
    assert.ok(n < samplesToFind({ ...asked, power: 0.95 }, 0.1))
    assert.ok(n < samplesToFind({ ...asked, share: 0.1 }, 0.1))
    assert.ok(n < samplesToFind(asked, 0.05))
    assert.ok(n > samplesToFind({ ...asked, ratio: 20 }, 0.1))
    assert.equal(samplesToFind(asked, 0.01), Number.POSITIVE_INFINITY)
    assert.ok(samplesToClear(asked) < samplesToClear({ ...asked, margin: 0.005 }))
  }
})
