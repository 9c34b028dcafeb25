import { generateKeyPairSync } from 'node:crypto'
import type { TestContext } from 'node:test'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

const KEY = 'AIza-secret'

export const FLASH = 'gemini-2.5-flash'
export const PRO = 'gemini-3-pro-preview'
export const OLD = 'gemini-2.0-flash'
export const GPT = 'gpt-4o'
/** Those of Vertex AI, under names of the routes' own. */
export const VERTEX = 'vertex-gemini'
export const VERTEX_PRO = 'vertex-gemini-3'
export const VERTEX_CLAUDE = 'vertex-claude'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The JSON key of a service account, whose tokens are had at `tokenUri`; `signedBy` in the place of its own key. */
export function accountKey(tokenUri: string, signedBy = privateKey): string {
  return JSON.stringify({
    type: 'service_account',
    project_id: 'my-project',
    private_key_id: 'key-1',
    private_key: signedBy.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'tradewind@my-project.iam.gserviceaccount.com',
    token_uri: tokenUri,
  })
}

/** The public half of the account's key. */
export const publicPem = publicKey.export({ type: 'spki', format: 'pem' })

/** The request path, with models of a simulated Gemini, Vertex AI and OpenAI that want our credentials, until the test ends. */
export async function lab(t: TestContext, signedBy = privateKey) {
  const [gemini, vertex, openai] = [
    await upstream(t, { name: 'mock', provider: 'gemini', apiKey: KEY }),
    await upstream(t, { name: 'mock', provider: 'vertex-ai', apiKey: publicPem }),
    await upstream(t, { name: 'mock', provider: 'openai', apiKey: KEY }),
  ]
  const credentials = (key: string) => ({
    credentials: { type: 'Secret' as const, secret: { secret: 'ai/key', key } },
  })
  const models = (...names: string[]) => names.map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const to = (name: string, model = '*') => [rule([target(name, { model })])]
  const path = await dataPath(t, {
    routes: [
      route('gemini', to('gemini'), { models: [FLASH, PRO, OLD, 'gemini-embedding-001'] }),
      route('renamed', to('gemini', FLASH), { models: ['my-gemini'] }),
      route('openai', to('openai'), { models: [GPT, 'gpt-5', 'text-embedding-3-small'] }),
      route('vertex', to('vertex', FLASH), { models: [VERTEX] }),
      route(
        'vertex-or-gemini',
        [rule([target('vertex', { model: FLASH }), target('gemini', { model: FLASH, priority: 1 })])],
        {
          models: ['either'],
        },
      ),
      route('vertex-3', to('vertex', PRO), { models: [VERTEX_PRO] }),
      route('vertex-claude', to('vertex', 'claude-sonnet-4-5@20250929'), { models: [VERTEX_CLAUDE] }),
      route('vertex-embed', to('vertex', 'text-embedding-005'), { models: ['vertex-embed'] }),
    ],
    endpoints: [
      endpoint('gemini', gemini.url, {
        provider: { type: 'Gemini' },
        ...credentials('key'),
        models: models('*', FLASH),
      }),
      endpoint('vertex', vertex.url, {
        provider: { type: 'VertexAI', settings: { project: 'my-project', location: 'europe-west4' } },
        ...credentials('account'),
        models: models(FLASH, PRO, 'claude-sonnet-4-5@20250929', 'text-embedding-005'),
      }),
      endpoint('openai', `${openai.url}/v1`, {
        provider: { type: 'OpenAI' },
        ...credentials('key'),
        models: models('*'),
      }),
    ],
    secrets: { 'ai/key': { data: { key: KEY, account: accountKey(`${vertex.url}/token`, signedBy) } } },
  })
  return { gemini, vertex, openai, ...path }
}

export const googleSdk = (url: string) => new GoogleGenAI({ apiKey: 'the-callers-own', httpOptions: { baseUrl: url } })
export const openaiSdk = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'the-callers-own', maxRetries: 0 })
