import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstream, upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, configOf, sidecar, to } from './setting.ts'

/** The body that a simulated server gets of a request with `temperature` 1, for a model with such parameters. */
async function bodyOf(t: TestContext, parameters: object | undefined): Promise<Readonly<Record<string, unknown>>> {
  const mock = await upstream(t)
  const models = [{ name: 'm', ...(parameters ? { parameters } : {}) }]
  const { ask } = await sidecar(t, { endpoints: { e: at(mock.url, { models }) }, routes: { chat: chat([to('e')]) } })
  assert.equal((await ask({ fields: { temperature: 1 } })).status, 200)
  return JSON.parse(mock.requests().at(-1)?.body ?? '')
}

export const models: Coverage = {
  'ModelEndpoint spec.provider.type': async (t) => {
    const mock = await upstream(t, { echo: true })
    const matches = [{ path: { value: '/anything' } }]
    const address = { type: 'URL', url: mock.url }
    const { ask, change } = await sidecar(t, {
      endpoints: { e: { provider: { type: 'HTTP' }, address } },
      routes: { through: { rules: [{ matches, targets: [to('e')] }] } },
    })
    assert.equal((await ask({ path: '/anything/at/all' })).status, 200)
    assert.equal(mock.requests().at(-1)?.path, '/anything/at/all')
    change({ endpoints: { e: at(mock.url) }, routes: { through: { rules: [{ matches, targets: [to('e')] }] } } })
    assert.equal((await ask({ path: '/anything/at/all' })).code, 'path_not_found')

    // Of the two that speak OpenAI's dialect, one has an address of its own.
    const own = configOf({
      endpoints: { e: { provider: { type: 'OpenAI' }, models: [{ name: 'm' }] } },
      routes: { chat: chat([to('e')]) },
    })
    assert.deepEqual(Reflect.get(own.get('endpoint/ai/e')?.body ?? {}, 'url'), 'https://api.openai.com/v1')
  },

  'ModelEndpoint spec.provider.azureOpenAI.apiVersion': async (t) => {
    const mock = await upstream(t, { provider: 'azure' })
    const path = async (azureOpenAI: object) => {
      const provider = { type: 'AzureOpenAI', azureOpenAI }
      const e = { provider, address: { type: 'URL', url: mock.url }, models: [{ name: 'gpt-4o' }] }
      const { ask } = await sidecar(t, { endpoints: { e }, routes: { chat: chat([to('e')]) } })
      assert.equal((await ask()).status, 200)
      return mock.requests().at(-1)?.path
    }
    assert.equal(await path({}), '/openai/v1/chat/completions')
    assert.equal(await path({ apiVersion: '2024-10-21' }), '/openai/deployments/gpt-4o/chat/completions')
  },

  'ModelEndpoint spec.provider.openAICompatible.preset': async (t) => {
    const mock = await upstream(t)
    const sent = async (openAICompatible: object) => {
      const provider = { type: 'OpenAICompatible', openAICompatible }
      const e = at(mock.url, { provider, models: [{ name: 'm' }] })
      const { ask } = await sidecar(t, { endpoints: { e }, routes: { chat: chat([to('e')]) } })
      assert.equal((await ask({ fields: { user: 'someone' } })).status, 200)
      return JSON.parse(mock.requests().at(-1)?.body ?? '').user
    }
    assert.equal(await sent({}), 'someone')
    assert.equal(await sent({ preset: 'Ollama' }), undefined)
  },

  'ModelEndpoint spec.provider.workersAI.account': async () => {
    const url = (account: string) => {
      const provider = { type: 'WorkersAI', workersAI: { account } }
      const own = configOf({
        endpoints: { e: { provider, models: [{ name: '@cf/meta/llama-3.1-8b-instruct' }] } },
        routes: { chat: chat([to('e')]) },
      })
      return Reflect.get(own.get('endpoint/ai/e')?.body ?? {}, 'url')
    }
    assert.equal(url('0a1b'), 'https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1')
    assert.equal(url('2c3d'), 'https://api.cloudflare.com/client/v4/accounts/2c3d/ai/v1')
  },

  'ModelEndpoint spec.models[].name': async (t) => {
    const mock = await upstream(t)
    const having = (name: string) => ({
      endpoints: { e: at(mock.url, { models: [{ name }] }) },
      routes: { chat: chat([to('e')]) },
    })
    const { ask, change } = await sidecar(t, having('gpt-one'))
    for (const name of ['gpt-one', 'gpt-two', '*']) {
      change(having(name))
      await ask()
    }
    assert.deepEqual(
      mock.requests().map(({ model }) => model),
      ['gpt-one', 'gpt-two', 'chat'],
    )
  },

  'ModelEndpoint spec.models[].rank': async (t) => {
    const [first, far, near] = await upstreams(t, { faults: ['status=500'] }, {}, {})
    const ranked = (ranks: readonly number[]) => ({
      endpoints: Object.fromEntries(
        [first, far, near].map(({ url }, index) => [
          `e${index}`,
          at(url, { models: [{ name: 'm', rank: ranks[index] }] }),
        ]),
      ),
      // All but surely the first is picked, and of equal ranks the heavier one is tried first.
      routes: { chat: chat([to('e0', { weight: 1_000_000 }), to('e1', { weight: 2 }), to('e2', { weight: 1 })]) },
    })
    const { ask, change } = await sidecar(t, ranked([1, 5, 2]))
    assert.equal((await ask()).endpoint, 'e2')
    change(ranked([1, 1, 1]))
    assert.equal((await ask()).endpoint, 'e1')
  },

  'ModelEndpoint spec.models[].capabilities.contextWindow': async (t) => {
    const [small, other] = await upstreams(t, { faults: ['context-length'] }, {})
    const windows = (first: number, second: number) => {
      const of = (url: string, contextWindow: number) =>
        at(url, { models: [{ name: 'm', capabilities: { contextWindow } }] })
      return {
        endpoints: { e0: of(small.url, first), e1: of(other.url, second) },
        routes: { chat: chat([to('e0'), to('e1', { priority: 1 })]) },
      }
    }
    const { ask, change } = await sidecar(t, windows(8000, 200_000))
    assert.equal((await ask()).endpoint, 'e1')
    change(windows(8000, 8000))
    assert.equal((await ask()).code, 'context_length_exceeded')
    assert.equal(other.stats().requests, 1)
  },

  'ModelEndpoint spec.models[].capabilities.features[]': async (t) => {
    const after = async (capabilities: object) => {
      const [a, b] = await upstreams(t, { name: 'm', faults: ['truncate,after=6'] }, { name: 'm', provider: 'vllm' })
      const { ask } = await sidecar(t, {
        endpoints: {
          a: at(a.url),
          b: at(b.url, {
            provider: { type: 'OpenAICompatible', openAICompatible: { preset: 'VLLM' } },
            models: [{ name: 'm', ...capabilities }],
          }),
        },
        routes: { chat: chat([to('a'), to('b', { priority: 1 })]) },
      })
      assert.equal((await ask({ stream: true })).code, '')
      return /"role":"assistant"/.test(b.requests().at(-1)?.body ?? '')
    }
    assert.equal(await after({}), true, 'it is known of the server')
    assert.equal(await after({ capabilities: { features: [] } }), false)
    assert.equal(await after({ capabilities: { features: ['Prefill'] } }), true)
  },

  'ModelEndpoint spec.models[].capabilities.maxOutputTokens': async (t) => {
    const mock = await upstream(t, { provider: 'anthropic' })
    const asked = async (capabilities: object) => {
      const models = [{ name: 'claude-sonnet-4-5', capabilities }]
      const e = { provider: { type: 'Anthropic' }, address: { type: 'URL', url: mock.url }, models }
      const { ask } = await sidecar(t, { endpoints: { e }, routes: { chat: chat([to('e')]) } })
      assert.equal((await ask()).status, 200)
      return JSON.parse(mock.requests().at(-1)?.body ?? '').max_tokens
    }
    assert.equal(await asked({ maxOutputTokens: 1234 }), 1234)
    assert.notEqual(await asked({}), 1234)
  },

  'ModelEndpoint spec.models[].parameters.defaults': async (t) => {
    const { temperature, seed } = await bodyOf(t, { defaults: { temperature: 0, seed: 7 } })
    assert.deepEqual({ temperature, seed }, { temperature: 1, seed: 7 })
    assert.equal((await bodyOf(t, undefined))['seed'], undefined)
  },
  'ModelEndpoint spec.models[].parameters.force': async (t) => {
    const { temperature, seed } = await bodyOf(t, { force: { temperature: 0, seed: 7 } })
    assert.deepEqual({ temperature, seed }, { temperature: 0, seed: 7 })
    assert.equal((await bodyOf(t, undefined))['temperature'], 1)
  },

  'ModelEndpoint spec.limits.maxInFlight': async (t) => {
    const statuses = async (limits: object): Promise<readonly number[]> => {
      const mock = await upstream(t, { latency: '200ms' })
      const { ask } = await sidecar(t, { endpoints: { e: at(mock.url, limits) }, routes: { chat: chat([to('e')]) } })
      return (await Promise.all([ask(), ask(), ask()])).map(({ status }) => status).sort((a, b) => a - b)
    }
    assert.deepEqual(await statuses({ limits: { maxInFlight: 2 } }), [200, 200, 429])
    assert.deepEqual(await statuses({}), [200, 200, 200])
  },
}
