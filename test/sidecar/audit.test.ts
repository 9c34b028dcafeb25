import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, gate } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { completion, json, scripted } from '../helpers/scripted.ts'

/** A cheap and a strong model behind a certificate, and a judge that finds the cheap one's answers worth so much. */
async function promised(t: TestContext, mark: () => number) {
  const says = (text: string) => scripted(t, (response) => json(response, completion(text)))
  const [weak, strong] = [await says('Cheap words.'), await says('Strong words.')]
  const judge = await scripted(t, (response, body) =>
    json(response, completion(body.includes('Cheap words.') ? `${mark()}/10` : '9/10')),
  )
  const promise = { strong: 'b-model', weak: 'a-model', threshold: 0.4, expires: '2999-01-01' }
  const router = new Router({ 'a-model': { chat: 0.9 }, 'b-model': { chat: 0.9 } }, promise)
  const priced = (rank: number) => ({ prices: [{ price: { input: String(10 ** rank), output: String(10 ** rank) } }] })
  const sidecar = await dataPath(t, {
    routes: [
      route('chat', [
        rule([target('a'), target('b')], {
          strategy: { type: 'Classifier', settings: { artefact: { name: 'router' }, floor: '0.05' } },
          gate: gate({ judge: { by: { endpoint: 'ai/c', model: 'c-model' }, percent: 1, bar: 1 } }),
        }),
      ]),
    ],
    endpoints: [weak, strong, judge].map(({ url }, rank) => {
      const name = ['a', 'b', 'c'][rank] ?? ''
      return endpoint(name, url, {
        models: [{ name: `${name}-model`, rank, defaults: {}, force: {}, ...priced(rank) }],
      })
    }),
    artefacts: { 'ai/router': { artefact: Buffer.from(router.bytes).toString('base64') } },
  })
  const one = (text = router.example('chat')) =>
    ask(sidecar.url, { body: { messages: [{ role: 'user', content: text }] } })
  const audits = () => sidecar.telemetry.attempts.filter(({ why }) => why === 'audit').length
  return { ...sidecar, one, audits, strong, judge }
}

test('audit: a promise that is kept goes on, and of a few answers the strong one is asked besides and both are marked', async (t) => {
  const { one, audits, telemetry } = await promised(t, () => 9)
  for (let i = 0; i < 600; i++) assert.equal((await one()).by, 'ai/a')
  await eventually(() => assert.equal(telemetry.exchanges.length, 600))
  // Each is three calls: the strong answer, and two marks. About 12 are compared.
  assert.ok(audits() >= 6 && audits() <= 90, String(audits()))
  const compared = telemetry.exchanges.find(({ attempts }) => attempts.some(({ why }) => why === 'audit'))
  assert.deepEqual(
    compared?.gate?.answers.slice(-2).map(({ target, findings }) => [target, findings[0]?.check, findings[0]?.score]),
    [
      ['ai/a a-model', 'Judge', 9],
      ['ai/b b-model', 'Judge', 9],
    ],
  )
  assert.equal(compared?.endpoint, 'ai/a')
  assert.ok(compared?.attempts.every(({ why, cost }) => why !== 'audit' || cost !== undefined))
})

test('audit: where the cheap answers are worth far less than was promised, it alarms and the strong model answers', async (t) => {
  const { one, telemetry, audits } = await promised(t, () => 1)
  let asked = 0
  while ((await one()).by === 'ai/a') assert.ok(++asked < 4000)
  assert.equal((await one()).by, 'ai/b')
  await eventually(() => assert.equal(telemetry.exchanges.at(-1)?.reason, 'alarmed'))
  const before = audits()
  for (let i = 0; i < 100; i++) assert.equal((await one()).by, 'ai/b')
  assert.equal(audits(), before, 'nothing is left to be audited')
})

test('audit: of novel requests, which the strong model answers, more are compared', async (t) => {
  const { one, audits, telemetry } = await promised(t, () => 9)
  for (let i = 0; i < 60; i++)
    assert.equal((await one(`Novel ${i}: ∫ x² dx over [0, ${i}]; prove it by {induction}`)).by, 'ai/b')
  await eventually(() => assert.equal(telemetry.exchanges.length, 60))
  assert.equal(telemetry.exchanges.at(-1)?.reason, 'novel')
  assert.ok(audits() >= 6 && audits() <= 110, String(audits()))
})
