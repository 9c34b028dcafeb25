import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventually } from '../helpers/eventually.ts'
import { ask, ladder, REFUSAL, said } from '../helpers/ladder.ts'

/** What becomes of a target: it answers well, or badly, or not at all. */
const fates = {
  good: [],
  refuses: [REFUSAL],
  empty: ['empty'],
  fails: ['status=500'],
  busy: ['rate-limit=seconds'],
  resets: ['reset'],
  cut: ['truncate,after=3'],
  'cut short': ['cut=200'],
  unfinished: ['no-finish'],
  'fails inside': ['error-middle,after=3'],
} as const
const ANSWERS: ReadonlySet<keyof typeof fates> = new Set(['good', 'refuses'])
// The keys of `fates` are its names.
const fate = fc.constantFrom(...(Object.keys(fates) as (keyof typeof fates)[]))

for (const mode of ['Buffer', 'Prefix'] as const)
  test(`gate: ${mode}: whatever becomes of whom, no answer is lost that somebody gave, and none is cut in silence`, async (t) => {
    const breaker = {
      consecutive: 1000,
      percent: 100,
      minimum: 100_000,
      within: 1000,
      openFor: 1,
      probes: 1,
      rampUp: [100],
    }
    const { url, a, b, c, telemetry, path } = await ladder(t, [{}, {}, {}], {
      gate: { mode, prefix: { tokens: 4, within: 500 } },
      endpoints: [{ breaker }, { breaker }, { breaker }],
    })
    await fc.assert(
      fc.asyncProperty(fate, fate, fate, fc.boolean(), async (first, second, third, stream) => {
        const all = [first, second, third]
        await Promise.all([a, b, c].map((mock, i) => mock.setFaults(fates[all[i] ?? 'good'])))
        // A target that asked to be left alone is only so within one request here.
        for (const { models } of path.configuration.runtime?.endpoints.values() ?? [])
          for (const { state } of models.values()) state.coolUntil = 0
        const before = telemetry.exchanges.length
        const { status, text } = await ask(url, { stream })
        await eventually(() => assert.equal(telemetry.exchanges.length, before + 1))
        const { attempts = [], gate: found, code } = telemetry.exchanges.at(-1) ?? {}
        const whole = stream ? text.endsWith('data: [DONE]\n\n') : status === 200
        const failed = status >= 400 || /"error":/.test(text)
        const told = `${all.join(', ')}: ${status} ${text.slice(0, 300)}`
        assert.ok(whole !== failed, `neither whole nor an error: ${told}`)
        assert.equal(code === undefined, whole, told)
        if (stream && whole) assert.match(text, /"finish_reason":"(stop|length)"/, told)
        if (mode === 'Buffer' && all.some((it) => ANSWERS.has(it))) assert.ok(whole, `an answer was lost: ${told}`)
        if (whole && all.includes('good') && first !== 'empty')
          assert.match(stream ? said(text) : text, /heard|sorry/, told)
        // Each target is asked once, and the money is that of all.
        assert.equal(new Set(attempts.map(({ endpoint }) => endpoint)).size, attempts.length, told)
        assert.ok((found?.escalations ?? 0) <= 2)
      }),
      { numRuns: 150 },
    )
  })
