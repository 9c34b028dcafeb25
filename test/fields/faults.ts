import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

const soon = () => new Date(Date.now() + 600_000).toISOString()

/** Two targets, the second for fallback, with one fault; without an end it lasts ten minutes. */
async function two(t: TestContext, fault: object) {
  const [a, b] = await upstreams(t, {}, {})
  const timeouts = { connect: '1s', firstToken: '300ms', idle: '300ms', attempt: '5s' }
  const faults = [{ until: soon(), ...fault }]
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, { timeouts }), b: at(b.url) },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })], { faults }) },
  })
  return { a, b, ask }
}

const abort = { type: 'Abort', status: 503 }

export const faults: Coverage = {
  'ModelRoute spec.rules[].faults[].type': async (t) => {
    for (const [fault, asked] of [
      [abort, 0],
      [{ type: 'Cut' }, 1],
    ] as const) {
      const { a, ask } = await two(t, { ...fault, targets: [{ name: 'a' }] })
      assert.equal((await ask()).endpoint, 'b')
      assert.equal(a.stats().requests, asked)
    }
  },
  'ModelRoute spec.rules[].faults[].percent': async (t) => {
    for (const [percent, least, most] of [
      [undefined, 60, 60],
      // Binomial(60, 1/4) is outside of this once in 10^6.
      [25, 1, 34],
    ] as const) {
      const { ask } = await two(t, { ...abort, ...(percent === undefined ? {} : { percent }) })
      const answers = await Promise.all(Array.from({ length: 60 }, () => ask()))
      const failed = answers.filter(({ reason }) => reason.includes('fault_injected')).length
      const some = answers.filter(({ status }) => status !== 200).length
      assert.ok(failed >= least && failed <= most, `${failed} (${some} of the callers) of 60`)
    }
  },
  'ModelRoute spec.rules[].faults[].delay': async (t) => {
    for (const [delay, endpoint] of [
      ['50ms', 'a'],
      ['4s', 'b'],
    ] as const) {
      const { ask } = await two(t, { type: 'Delay', delay, targets: [{ name: 'a' }] })
      const began = performance.now()
      assert.equal((await ask({ stream: true })).endpoint, endpoint)
      assert.ok(performance.now() - began >= 45)
    }
  },
  'ModelRoute spec.rules[].faults[].status': async (t) => {
    for (const status of [500, 429]) {
      const { ask } = await two(t, { type: 'Abort', status })
      assert.equal((await ask()).status, status)
    }
  },
  'ModelRoute spec.rules[].faults[].afterBytes': async (t) => {
    for (const [afterBytes, endpoint] of [
      [undefined, 'b'],
      [1_000_000, 'a'],
    ] as const) {
      const fault = { type: 'Cut', targets: [{ name: 'a' }], ...(afterBytes === undefined ? {} : { afterBytes }) }
      const { ask } = await two(t, fault)
      assert.equal((await ask()).endpoint, endpoint)
    }
  },
  'ModelRoute spec.rules[].faults[].targets[].name': async (t) => {
    for (const [targets, status, endpoint] of [
      [undefined, 503, 'b'],
      [[{ name: 'a' }], 200, 'b'],
      [[{ name: 'b' }], 200, 'a'],
    ] as const) {
      const answer = await (await two(t, { ...abort, ...(targets ? { targets } : {}) })).ask()
      assert.deepEqual([answer.status, answer.endpoint], [status, endpoint])
    }
  },
  'ModelRoute spec.rules[].faults[].targets[].namespace': async (t) => {
    for (const [namespace, endpoint] of [
      ['ai', 'b'],
      ['elsewhere', 'a'],
    ] as const)
      assert.equal((await (await two(t, { ...abort, targets: [{ name: 'a', namespace }] })).ask()).endpoint, endpoint)
  },
  'ModelRoute spec.rules[].faults[].targets[].model': async (t) => {
    for (const [model, endpoint] of [
      ['m', 'b'],
      ['other', 'a'],
    ] as const)
      assert.equal((await (await two(t, { ...abort, targets: [{ name: 'a', model }] })).ask()).endpoint, endpoint)
  },
  'ModelRoute spec.rules[].faults[].headers[].name': async (t) => {
    const { ask } = await two(t, { ...abort, headers: [{ name: 'X-Drill', value: 'yes' }] })
    assert.equal((await ask({ headers: { 'x-drill': 'yes' } })).status, 503)
    assert.equal((await ask({ headers: { 'x-other': 'yes' } })).status, 200)
  },
  'ModelRoute spec.rules[].faults[].headers[].type': async (t) => {
    for (const [header, status] of [
      [{ type: 'Exact', value: 'ye' }, 200],
      [{ type: 'Prefix', value: 'ye' }, 503],
      [{ type: 'Present' }, 503],
    ] as const) {
      const { ask } = await two(t, { ...abort, headers: [{ name: 'x-drill', ...header }] })
      assert.equal((await ask({ headers: { 'x-drill': 'yes' } })).status, status)
    }
  },
  'ModelRoute spec.rules[].faults[].headers[].value': async (t) => {
    const { ask } = await two(t, { ...abort, headers: [{ name: 'x-drill', value: 'yes' }] })
    assert.equal((await ask({ headers: { 'x-drill': 'yes' } })).status, 503)
    assert.equal((await ask({ headers: { 'x-drill': 'no' } })).status, 200)
  },
  'ModelRoute spec.rules[].faults[].until': async (t) => {
    for (const [until, status] of [
      [new Date(Date.now() - 1000).toISOString(), 200],
      [soon(), 503],
    ] as const)
      assert.equal((await (await two(t, { ...abort, until })).ask()).status, status)
  },
}
