import assert from 'node:assert/strict'
import { test } from 'node:test'
import { target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, ladder, says } from '../helpers/ladder.ts'
import { gateArtefact, trainedGate } from '../helpers/trained-gate.ts'

const SURE = [says('It is 42.')]
const UNSURE = [says('Maybe it is 42, perhaps.')]
const learned = { artefact: 'gates' }

test('gate: learned: what is probably wrong is asked of a stronger target, and how wrong it seems is written down', async (t) => {
  const artefacts = { gates: gateArtefact(trainedGate('a-model', { certified: 0.5 })) }
  const { url, a, facts } = await ladder(t, [{}], { gate: { learned }, artefacts })
  for (const stream of [false, true]) {
    await a.setFaults(SURE)
    assert.equal((await ask(url, { stream })).by, 'ai/a')
    const kept = facts()?.gate
    assert.ok(kept?.wrong !== undefined && kept.wrong < 0.2)
    await a.setFaults(UNSURE)
    assert.equal((await ask(url, { stream })).by, 'ai/b')
    const { check, failed, detail, score = 0 } = facts()?.gate?.answers[0]?.findings.at(-1) ?? {}
    assert.deepEqual([check, failed, detail], ['Learned', true, 'it is probably wrong'])
    assert.ok(score > 0.8)
    assert.equal(facts()?.gate?.wrong, undefined, 'nothing is known of the stronger one’s')
  }
})

test('gate: learned: without an artefact that loads the strongest target is asked at once', async (t) => {
  const broken = gateArtefact(trainedGate('a-model', { certified: 0.5 })).slice(0, 200)
  for (const gates of [undefined, broken]) {
    const artefacts: Readonly<Record<string, Uint8Array>> = gates ? { gates } : {}
    const { url, a, b, facts } = await ladder(t, [{ faults: SURE }], { gate: { learned }, artefacts })
    const { status, by, answer } = await ask(url)
    assert.deepEqual([status, by, facts()?.gate?.direct], [200, 'ai/c', 'direct_untaught'])
    assert.match(String(answer.headers['x-tradewind-reason']), /direct_untaught/)
    assert.deepEqual([a.stats().requests, b.stats().requests], [0, 0])
  }
})

test('gate: learned: without a certificate that holds no answer of the model is kept', async (t) => {
  for (const shape of [{}, { certified: 0.5, expires: '2026-01-02' }]) {
    const artefacts = { gates: gateArtefact(trainedGate('a-model', shape)) }
    const { url, facts } = await ladder(t, [{ faults: SURE }], { gate: { learned }, artefacts })
    const { status, by } = await ask(url)
    assert.deepEqual([status, by], [200, 'ai/b'])
    const { check, failed, detail } = facts()?.gate?.answers[0]?.findings.at(-1) ?? {}
    assert.deepEqual([check, failed, detail], ['Learned', true, 'nothing is certified'])
  }
})

test('gate: learned: with no stronger target to ask, the cheap answer is given all the same', async (t) => {
  const { url } = await ladder(t, [{ faults: SURE }], { gate: { learned }, rule: { targets: [target('a')] } })
  assert.equal((await ask(url)).by, 'ai/a')
})

test('gate: learned: a model that no gate was trained for is left to the other checks', async (t) => {
  const artefacts = { gates: gateArtefact(trainedGate('another', { certified: 0.5 })) }
  const { url, facts } = await ladder(t, [{ faults: UNSURE }], { gate: { learned }, artefacts })
  assert.equal((await ask(url)).by, 'ai/a')
  assert.ok(facts()?.gate?.answers[0]?.findings.every(({ check }) => check !== 'Learned'))
})

test('gate: learned: a gate that compares takes another model’s answer in, in the place of agreement', async (t) => {
  // Right where they agree.
  const gate = trainedGate('a-model', { second: 'c-model', certified: 0.5, feature: 'agrees', weight: -10 })
  const { url, c, whys, facts } = await ladder(t, [{ faults: [says('The answer is 42.')] }, {}, {}], {
    gate: { learned, agreement: { samples: 2, with: { endpoint: 'ai/c', model: 'c-model' } } },
    rule: { targets: [target('a'), target('b', { priority: 1 })] },
    artefacts: { gates: gateArtefact(gate) },
  })
  await c.setFaults([says('\\boxed{42}')])
  assert.equal((await ask(url)).by, 'ai/a')
  assert.deepEqual(
    whys()?.map(([why]) => why),
    ['chosen', 'agreement'],
  )
  assert.ok(facts()?.gate?.answers[0]?.findings.every(({ check }) => check !== 'Agreement'))
  await c.setFaults([says('\\boxed{41}')])
  assert.equal((await ask(url)).by, 'ai/b')
  assert.equal(facts()?.gate?.answers[0]?.findings.at(-1)?.check, 'Learned')
})

test('gate: learned: one that reads the answer alone leaves agreement its own word', async (t) => {
  const { url, facts } = await ladder(
    t,
    [{ faults: [says('The answer is 42.')] }, {}, { faults: [says('The answer is 41.')] }],
    {
      gate: { learned, agreement: { samples: 2, with: { endpoint: 'ai/c', model: 'c-model' } } },
      rule: { targets: [target('a'), target('b', { priority: 1 })] },
      artefacts: { gates: gateArtefact(trainedGate('a-model', { certified: 0.5 })) },
    },
  )
  assert.equal((await ask(url)).by, 'ai/b')
  assert.deepEqual(
    facts()
      ?.gate?.answers[0]?.findings.slice(-2)
      .map(({ check, failed }) => [check, failed]),
    [
      ['Learned', false],
      ['Agreement', true],
    ],
  )
})

test('gate: learned: an audit writes down how wrong an answer seems, and leaves it', async (t) => {
  const artefacts = { gates: gateArtefact(trainedGate('a-model', { certified: 0.5 })) }
  const { url, facts, telemetry } = await ladder(t, [{ faults: UNSURE }], {
    gate: { mode: 'Audit', learned },
    artefacts,
  })
  for (const stream of [false, true]) {
    const before = telemetry.exchanges.length
    assert.equal((await ask(url, { stream })).by, 'ai/a')
    await eventually(() => assert.equal(telemetry.exchanges.length, before + 1))
    assert.ok((facts()?.gate?.wrong ?? 0) > 0.8)
  }
})
