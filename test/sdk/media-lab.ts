import type { TestContext } from 'node:test'
import OpenAI from 'openai'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { wavHeader } from '../../cli/mock/wav.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const KEY = 'sk-secret'

/**
 * The request path, with a model `m` that a simulated OpenAI serves under a name of its own, and another after it, until the test ends.
 * `models` are what the route answers to, besides `m`.
 */
export async function lab(t: TestContext, name: string, models: readonly string[] = []) {
  const [a, b] = await upstreams(t, { provider: 'openai', apiKey: KEY }, { provider: 'openai', apiKey: KEY })
  const common: Partial<CompiledEndpoint> = {
    provider: { type: 'OpenAI' },
    credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
    models: [{ name, rank: 0, defaults: {}, force: {} }],
  }
  const path = await dataPath(t, {
    routes: [
      route('m', [rule([target('a', { model: name }), target('b', { model: name, priority: 1 })])], {
        models: ['m', ...models],
      }),
    ],
    endpoints: [endpoint('a', `${a.url}/v1`, common), endpoint('b', `${b.url}/v1`, common)],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const client = new OpenAI({ baseURL: `${path.url}/v1`, apiKey: 'caller', maxRetries: 0 })
  return { a, b, client, ...path }
}

/** A WAV of so many seconds, one channel of 16 bits at 8 kHz, as a file to send. */
export function recording(seconds: number): File {
  const length = Math.round(seconds * 8000) * 2
  const samples = Buffer.alloc(length)
  for (let i = 0; i < length; i += 2) samples.writeInt16LE(Math.round(9000 * Math.sin(i / 10)), i)
  return new File([wavHeader(length), samples], 'speech.wav', { type: 'audio/wav' })
}
