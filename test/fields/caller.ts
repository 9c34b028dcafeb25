import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, sidecar, to } from './setting.ts'
import type { Asking } from './setting.ts'

/** The rule that answers, of a route that has one for a match and one for all else. */
async function answering(t: TestContext, spec: object, match: object, asking: Asking): Promise<string> {
  const [a, b] = await upstreams(t, {}, {})
  const rules = [
    { name: 'first', matches: [match], targets: [to('a')] },
    { name: 'rest', targets: [to('b')] },
  ]
  const endpoints = { a: at(a.url), b: at(b.url) }
  const { ask } = await sidecar(t, { endpoints, routes: { chat: { models: ['chat'], rules, ...spec } } })
  return (await ask(asking)).rule
}

const saying = (content: string): Asking => ({ fields: { messages: [{ role: 'user', content }] } })
const tier = (rest: object = {}) => ({ caller: { tier: { header: 'x-tier', default: 'free', ...rest } } })
const gold: Asking = { headers: { 'x-tier': 'gold' } }
const legal = { task: ['legal'] }

export const caller: Coverage = {
  'ModelRoute spec.caller.tier.header': async (t) => {
    assert.equal(await answering(t, tier(), { tier: ['gold'] }, gold), 'first')
    assert.equal(await answering(t, tier({ header: 'X-Plan' }), { tier: ['gold'] }, gold), 'rest')
    assert.equal(
      await answering(t, tier({ header: 'X-Plan' }), { tier: ['gold'] }, { headers: { 'x-plan': 'gold' } }),
      'first',
    )
  },
  'ModelRoute spec.caller.tier.default': async (t) => {
    assert.equal(await answering(t, tier(), { tier: ['free'] }, {}), 'first')
    assert.equal(await answering(t, tier({ default: 'trial' }), { tier: ['free'] }, {}), 'rest')
  },
  'ModelRoute spec.caller.tier.values[]': async (t) => {
    assert.equal(await answering(t, tier(), { tier: ['free'] }, gold), 'rest')
    assert.equal(await answering(t, tier({ values: ['free', 'pro'] }), { tier: ['free'] }, gold), 'first')
  },
  'ModelRoute spec.caller.task.header': async (t) => {
    const asking = { headers: { 'x-use-case': 'legal' } }
    assert.equal(await answering(t, {}, legal, asking), 'rest')
    assert.equal(await answering(t, { caller: { task: { header: 'X-Use-Case' } } }, legal, asking), 'first')
  },
  'ModelRoute spec.tasks[].name': async (t) => {
    const named = (name: string) => ({ tasks: [{ name, patterns: ['contract'] }] })
    assert.equal(await answering(t, named('legal'), legal, saying('Is this CONTRACT void?')), 'first')
    assert.equal(await answering(t, named('law'), legal, saying('Is this contract void?')), 'rest')
  },
  'ModelRoute spec.tasks[].patterns[]': async (t) => {
    const known = (...patterns: readonly string[]) => ({ tasks: [{ name: 'legal', patterns }] })
    assert.equal(await answering(t, known('judge', 'contr\\w+'), legal, saying('Is this contract void?')), 'first')
    assert.equal(await answering(t, known('judge'), legal, saying('Is this contract void?')), 'rest')
    assert.equal(await answering(t, known('(?-i)Contract'), legal, saying('Is this contract void?')), 'rest')
  },
}
