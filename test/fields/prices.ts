import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { costOf, usd } from '../../core/cost.ts'
import { pricingOf } from '../../core/prices.ts'
import type { PriceList } from '../../core/price.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { Usage } from '../../core/usage.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, configOf, sidecar, to } from './setting.ts'

const PATH = 'ModelEndpoint spec.models[].price'

/** What a call costs by the configuration that a sidecar gets of a manifest with such a price. */
function cost(price: PriceList, usage: Partial<Usage>): string | undefined {
  const config = configOf({
    endpoints: { e: at('http://127.0.0.1:1', { models: [{ name: 'm', price }] }) },
    routes: { chat: chat([to('e')]) },
  })
  const body = config.get('endpoint/ai/e')?.body
  assert.ok(body && 'models' in body && 'provider' in body)
  const { prices } = body.models[0] ?? {}
  assert.ok(prices)
  const rates = pricingOf(prices)('m', 0)
  const picodollars = rates && costOf({ ...NO_USAGE, ...usage }, rates)
  return picodollars === undefined ? undefined : usd(picodollars)
}

/** Each rate with a usage that has 1,000 tokens of its kind. */
const rates: Readonly<Record<string, Partial<Usage>>> = {
  output: { output: 1000 },
  cacheRead: { input: 1000, cached: 1000 },
  cacheWrite: { input: 1000, cacheWrite: 1000 },
  cacheWrite1h: { input: 1000, cacheWrite1h: 1000 },
  audioInput: { input: 1000, audioInput: 1000 },
  audioCacheRead: { input: 1000, cached: 1000, audioInput: 1000, cachedAudio: 1000 },
  audioOutput: { output: 1000, audioOutput: 1000 },
  imageInput: { input: 1000, imageInput: 1000 },
  imageOutput: { output: 1000, imageOutput: 1000 },
  videoInput: { input: 1000, videoInput: 1000 },
}

const free = { input: '0', output: '0' }

/** A simulated server that answers a chat with a thousand tokens of prompt and of answer each. */
async function counting(t: TestContext): Promise<string> {
  const usage = { prompt_tokens: 1000, completion_tokens: 1000, total_tokens: 2000 }
  const message = { role: 'assistant', content: 'Hello' }
  const answer = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // it listens on a port
  return `http://127.0.0.1:${port}/v1`
}

export const prices: Coverage = {
  [`${PATH}.input`]: async (t) => {
    const having = (url: string, price?: object) => ({
      endpoints: { e: at(url, { models: [{ name: 'm', ...(price ? { price } : {}) }] }) },
      routes: { chat: chat([to('e')]) },
    })
    const url = await counting(t)
    const { ask, change } = await sidecar(t, having(url))
    assert.equal((await ask()).cost, '')
    change(having(url, { input: '2.50', output: '0' }))
    assert.equal((await ask()).cost, '0.0025')
    change(having(url, { input: '0', output: '0' }))
    assert.equal((await ask()).cost, '0')
  },

  ...Object.fromEntries(
    Object.entries(rates).map(([rate, usage]) => [
      `${PATH}.${rate}`,
      () => {
        assert.equal(cost({ ...free, [rate]: '7.5' }, usage), '0.0075')
        assert.equal(cost(free, usage), '0')
        return Promise.resolve()
      },
    ]),
  ),

  [`${PATH}.audioHour`]: () => {
    assert.equal(cost({ ...free, audioHour: '0.36' }, { audioSeconds: 10 }), '0.001')
    assert.equal(cost(free, { audioSeconds: 10 }), undefined)
    return Promise.resolve()
  },

  [`${PATH}.request`]: () => {
    assert.equal(cost({ ...free, request: '2' }, {}), '0.002')
    assert.equal(cost(free, {}), '0')
    return Promise.resolve()
  },

  [`${PATH}.tiers[].above`]: () => {
    const tiered = { input: '1', tiers: [{ above: 1000, input: '2' }] }
    assert.equal(cost(tiered, { input: 1000 }), '0.001')
    assert.equal(cost(tiered, { input: 1001 }), '0.002002')
    return Promise.resolve()
  },

  ...Object.fromEntries(
    Object.entries({ input: { input: 1000 }, ...rates }).map(([rate, usage]) => [
      `${PATH}.tiers[].${rate}`,
      () => {
        const more = { ...usage, input: Math.max(1000, usage.input ?? 0) }
        const tiers = [{ above: 999, [rate]: '7.5' }]
        assert.equal(cost({ ...free, tiers }, more), '0.0075')
        assert.equal(cost(free, more), '0')
        return Promise.resolve()
      },
    ]),
  ),
}
