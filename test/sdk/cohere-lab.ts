import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

const KEY = 'co-secret'

/** The request path, with models of a simulated Cohere and a simulated OpenAI that want our key, until the test ends. */
export async function lab(t: TestContext) {
  const [cohere, openai] = [
    await upstream(t, { name: 'mock', provider: 'cohere', apiKey: KEY }),
    await upstream(t, { name: 'mock', provider: 'openai', apiKey: KEY }),
  ]
  const common = {
    credentials: { type: 'Secret' as const, secret: { secret: 'ai/key', key: 'key' } },
    models: [{ name: '*', rank: 0, defaults: {}, force: {} }],
  }
  const to = (name: string) => [rule([target(name, { model: '*' })])]
  const path = await dataPath(t, {
    routes: [
      route('cohere', to('cohere'), { models: ['command-a', 'command-a-reasoning', 'embed-v4.0', 'rerank-v3.5'] }),
      route('openai', to('openai'), { models: ['gpt-4o', 'text-embedding-3-small'] }),
    ],
    endpoints: [
      endpoint('cohere', cohere.url, { provider: { type: 'Cohere' }, ...common }),
      endpoint('openai', `${openai.url}/v1`, { provider: { type: 'OpenAI' }, ...common }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  return { cohere, openai, ...path }
}
