import type { TestContext } from 'node:test'
import { freePorts } from '../helpers/ports.ts'
import { upstream } from '../helpers/upstream.ts'
import type { Provider } from './surfaces.ts'

const KEYS = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** One simulated server of each provider, all with the same mind: where they are, and a place where nobody listens; the keys they want. */
export async function simulated(t: TestContext) {
  const mock = (provider: Provider, apiKey: string) => upstream(t, { name: 'm', provider, apiKey, tokens: 24 })
  const [openai, anthropic, gemini, cohere, bedrock, [closed]] = await Promise.all([
    mock('openai', 'sk-secret'),
    mock('anthropic', 'sk-secret'),
    mock('gemini', 'sk-secret'),
    mock('cohere', 'sk-secret'),
    mock('bedrock', `${KEYS.id}:${KEYS.secret}`),
    freePorts(1),
  ])
  const urls = {
    openai: `${openai.url}/v1`,
    anthropic: anthropic.url,
    gemini: gemini.url,
    cohere: cohere.url,
    bedrock: bedrock.url,
    closed: `http://127.0.0.1:${closed}/v1`,
  }
  const aws = `[default]\naws_access_key_id = ${KEYS.id}\naws_secret_access_key = ${KEYS.secret}\n`
  return { urls, secrets: { 'ai/keys': { data: { key: 'sk-secret', aws } } } }
}
