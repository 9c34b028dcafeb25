import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstream, upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { LABELS, selector } from './selectors.ts'
import { at, chat, sidecar, to } from './setting.ts'
import type { Answered, Asking } from './setting.ts'

/** Which of the targets answer so many requests, by how often. */
async function split(t: TestContext, rule: object, asking: readonly Asking[], options: object[] = [{}, {}]) {
  const mocks = await upstreams(t, ...options)
  const names = ['a', 'b', 'c'].slice(0, mocks.length)
  const { ask } = await sidecar(t, {
    endpoints: Object.fromEntries(mocks.map(({ url }, index) => [names[index] ?? '', at(url)])),
    routes: {
      chat: chat(
        names.map((name) => to(name)),
        rule,
      ),
    },
  })
  const answered: Answered[] = []
  for (const each of asking) answered.push(await ask(each))
  return { answered, by: (name: string) => answered.filter(({ endpoint }) => endpoint === name).length }
}

/** What comes of a request where the first target has that fault, and the second, if there is one, has none. */
async function failing(t: TestContext, fault: string, rule: object, others = 1) {
  const [a, b] = await upstreams(t, { faults: [fault] }, {})
  const timeouts = { connect: '200ms', firstToken: '200ms', idle: '200ms', attempt: '300ms' }
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, { timeouts }), b: at(b.url) },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })].slice(0, 1 + others), rule) },
  })
  return ask()
}

export const route: Coverage = {
  ...selector('ModelRoute spec.workloads.selector', async (t, selector) => {
    const mock = await upstream(t)
    const { ask } = await sidecar(t, {
      endpoints: { e: at(mock.url) },
      // The sidecar needs some configuration, or it is not yet ready to say what it does not serve.
      routes: {
        chat: chat([to('e')], {}, { workloads: { selector } }),
        all: chat([to('e')], {}, { models: ['other'] }),
      },
      me: { labels: LABELS },
    })
    return (await ask()).status === 200
  }),

  'ModelRoute spec.models[]': async (t) => {
    const mock = await upstream(t)
    const { ask, change } = await sidecar(t, { endpoints: { e: at(mock.url) }, routes: { chat: chat([to('e')]) } })
    assert.equal((await ask()).status, 200)
    change({ endpoints: { e: at(mock.url) }, routes: { chat: chat([to('e')], {}, { models: ['support'] }) } })
    assert.equal((await ask()).code, 'model_not_found')
    assert.equal((await ask({ model: 'support' })).status, 200)
  },

  'ModelRoute spec.timeouts.request': async (t) => {
    const mock = await upstream(t, { faults: ['stall-headers=400'] })
    const having = (timeouts: object) => ({
      endpoints: { e: at(mock.url) },
      routes: { chat: chat([to('e')], {}, { timeouts }) },
    })
    const { ask, change } = await sidecar(t, having({ request: '100ms' }))
    assert.equal((await ask()).code, 'request_timeout')
    change(having({}))
    assert.equal((await ask()).status, 200)
  },

  'ModelRoute spec.rules[].name': async (t) => {
    assert.equal((await split(t, { name: 'everything' }, [{}])).answered[0]?.rule, 'everything')
    assert.equal((await split(t, {}, [{}])).answered[0]?.rule, '0')
  },

  'ModelRoute spec.rules[].targets[].endpoint.name': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const endpoints = { a: at(a.url), b: at(b.url) }
    const { ask, change } = await sidecar(t, { endpoints, routes: { chat: chat([to('a')]) } })
    assert.equal((await ask()).endpoint, 'a')
    change({ endpoints, routes: { chat: chat([to('b')]) } })
    assert.equal((await ask()).endpoint, 'b')
  },
  'ModelRoute spec.rules[].targets[].endpoint.namespace': async (t) => {
    const [a, b] = await upstreams(t, {}, {})
    const endpoints = { e: at(a.url), 'other/e': at(b.url, { allowedRoutes: { namespaces: { from: 'All' } } }) }
    const { ask, change } = await sidecar(t, { endpoints, routes: { chat: chat([to('e')]) } })
    assert.equal((await ask()).endpoint, 'e')
    change({ endpoints, routes: { chat: chat([{ endpoint: { name: 'e', namespace: 'other' } }]) } })
    assert.equal((await ask()).endpoint, 'other/e')
  },
  'ModelRoute spec.rules[].targets[].endpoint.model': async (t) => {
    const mock = await upstream(t)
    const endpoints = { e: at(mock.url, { models: [{ name: 'small' }, { name: 'large' }] }) }
    const by = (model: object) => ({ endpoints, routes: { chat: chat([{ endpoint: { name: 'e', ...model } }]) } })
    const { ask, change } = await sidecar(t, by({ model: 'small' }))
    assert.equal((await ask()).model, 'small')
    change(by({ model: 'large' }))
    assert.equal((await ask()).model, 'large')
    change(by({}))
    assert.equal((await ask()).code, 'no_target', 'which of several is not said')
  },
  'ModelRoute spec.rules[].targets[].weight': async (t) => {
    const weighed = (b: object) =>
      split(
        t,
        { targets: [to('a', { weight: 3 }), to('b', b)] },
        Array.from({ length: 40 }, () => ({})),
      )
    const [usual, none] = [await weighed({}), await weighed({ weight: 0 })]
    assert.ok(usual.by('b') >= 9 && usual.by('b') <= 11, `${usual.by('b')} of 40 at 3 to 1`)
    assert.equal(none.by('b'), 0)
  },
  'ModelRoute spec.rules[].targets[].priority': async (t) => {
    const many = Array.from({ length: 10 }, () => ({}))
    assert.equal((await split(t, { targets: [to('a', { priority: 1 }), to('b')] }, many)).by('b'), 10)
    const equal = (await split(t, { targets: [to('a'), to('b')] }, many)).by('b')
    assert.ok(equal >= 4 && equal <= 6, `${equal} of 10 at equal priority`)
  },

  'ModelRoute spec.rules[].strategy.type': async (t) => {
    const many = Array.from({ length: 20 }, () => ({}))
    const slow = [{ latency: '60ms' }, {}]
    assert.ok((await split(t, { strategy: { type: 'LeastLatency' } }, many, slow)).by('b') >= 15)
    const weighted = (await split(t, {}, many, slow)).by('b')
    assert.ok(weighted >= 9 && weighted <= 11, `${weighted} of 20 at equal weights`)
  },

  'ModelRoute spec.rules[].sticky.header': async (t) => {
    const same = Array.from({ length: 10 }, () => ({ headers: { 'x-conversation': 'one' } }))
    assert.ok([0, 10].includes((await split(t, { sticky: { header: 'X-Conversation' } }, same)).by('a')))
    const loose = (await split(t, {}, same)).by('a')
    assert.ok(loose >= 4 && loose <= 6, `${loose} of 10 without`)
  },

  'ModelRoute spec.rules[].retry.attempts': async (t) => {
    assert.equal((await failing(t, 'status=500,times=2', { retry: { attempts: 2 } }, 0)).status, 200)
    assert.equal((await failing(t, 'status=500,times=2', { retry: { attempts: 1 } }, 0)).attempts, 2)
  },
  'ModelRoute spec.rules[].retry.when[]': async (t) => {
    assert.equal((await failing(t, 'status=500', { retry: { when: ['Status5xx'] } }, 0)).attempts, 2)
    assert.equal((await failing(t, 'status=500', { retry: { when: ['Reset'] } }, 0)).attempts, 1)
    assert.equal((await failing(t, 'reset', { retry: { when: ['Reset'] } }, 0)).attempts, 2)
    assert.equal((await failing(t, 'stall-headers', { retry: { when: ['Timeout'] } }, 0)).attempts, 2)
    assert.equal((await failing(t, 'stall-headers', { retry: {} }, 0)).attempts, 1)
  },
  'ModelRoute spec.rules[].fallback.when[]': async (t) => {
    const faults = {
      Connect: 'refuse',
      Reset: 'reset',
      Timeout: 'stall-headers',
      Status5xx: 'status=500',
      Status429: 'rate-limit=seconds,wait=30s',
      ContextLength: 'context-length',
      ContentFilter: 'content-refused',
      Truncated: 'truncate',
    }
    for (const [kind, fault] of Object.entries(faults)) {
      assert.equal((await failing(t, fault, { fallback: { when: [kind] } })).endpoint, 'b', kind)
      const without = Object.keys(faults).filter((other) => other !== kind)
      const { endpoint, status } = await failing(t, fault, { retry: { attempts: 0 }, fallback: { when: without } })
      assert.equal(endpoint, 'a', `without ${kind}`)
      assert.notEqual(status, 200, `without ${kind}`)
    }
  },

  'ModelRoute spec.rules[].rescue.mode': async (t) => {
    const [same, other] = [{ name: 'm', faults: ['truncate,after=6'] }, { name: 'm' }]
    const stopped = async (rule: object, second: object) => {
      const [a, b] = await upstreams(t, same, second)
      const { ask } = await sidecar(t, {
        endpoints: { a: at(a.url), b: at(b.url) },
        routes: { chat: chat([to('a'), to('b', { priority: 1 })], rule) },
      })
      return ask({ stream: true })
    }
    for (const rule of [{}, { rescue: { mode: 'Stream' } }]) {
      const { endpoint, code, text } = await stopped(rule, other)
      assert.deepEqual([endpoint, code, text.includes('[DONE]')], ['a', '', true])
      assert.equal((await stopped(rule, { name: 'another' })).code, 'upstream_truncated')
    }
    const held = await stopped({ rescue: { mode: 'Buffer' } }, { name: 'another' })
    assert.deepEqual([held.endpoint, held.code, held.text.includes('[DONE]')], ['b', '', true])
    assert.equal((await stopped({ rescue: { mode: 'Off' } }, other)).code, 'upstream_truncated')
  },
  'ModelRoute spec.rules[].hedge.after': async (t) => {
    const slow = async (rule: object) => (await split(t, rule, [{}], [{ latency: '400ms' }, {}, {}])).answered[0]
    const only = { targets: [to('a'), to('b', { priority: 1 })] }
    assert.equal((await slow({ ...only, hedge: { after: '50ms', percent: 100 } }))?.endpoint, 'b')
    assert.equal((await slow({ ...only, hedge: { after: '10m', percent: 100 } }))?.endpoint, 'a')
    assert.equal((await slow({ ...only, hedge: { percent: 100 } }))?.endpoint, 'a', 'nothing is known of it yet')
    assert.equal((await slow(only))?.endpoint, 'a')
  },
  'ModelRoute spec.rules[].hedge.percent': async (t) => {
    const four = Array.from({ length: 4 }, () => ({}))
    const hedged = async (percent: number) => {
      const rule = { targets: [to('a'), to('b', { priority: 1 })], hedge: { after: '20ms', percent } }
      return (await split(t, rule, four, [{ latency: '200ms' }, {}])).by('b')
    }
    assert.equal(await hedged(100), 4)
    assert.equal(await hedged(50), 2)
  },

  'ModelRoute spec.rules[].onUnsupported': async (t) => {
    const mock = await upstream(t, { provider: 'anthropic' })
    const models = [{ name: 'claude-sonnet-4-5' }]
    const endpoints = { e: { provider: { type: 'Anthropic' }, address: { type: 'URL', url: mock.url }, models } }
    const asking = { fields: { seed: 7 } }
    const { ask, change } = await sidecar(t, { endpoints, routes: { chat: chat([to('e')]) } })
    assert.equal((await ask(asking)).status, 200)
    change({ endpoints, routes: { chat: chat([to('e')], { onUnsupported: 'Fail' }) } })
    assert.equal((await ask(asking)).code, 'not_translatable')
    assert.equal((await ask()).status, 200)
  },

  'ModelRoute spec.rules[].onUnavailable': async (t) => {
    const many = Array.from({ length: 10 }, () => ({}))
    const targets = [to('a'), to('nobody')]
    const whole = await split(t, { targets }, many)
    assert.equal(whole.by('a'), 10)
    const { answered } = await split(t, { targets, onUnavailable: 'Fail' }, many)
    const failed = answered.filter(({ status }) => status === 500).length
    assert.ok(failed >= 4 && failed <= 6, `${failed} of 10 fail`)
  },
}
