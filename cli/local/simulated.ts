import { createPublicKey } from 'node:crypto'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { readAwsSecret } from '../../core/aws-credentials.ts'
import type { ProviderType } from '../../core/providers/index.ts'
import type { MockOptions } from '../mock/server.ts'

/** Which simulated provider stands in for a real one; those that are not here speak OpenAI's dialect. */
const simulated: ReadonlyMap<string, string> = new Map([
  ['AzureOpenAI', 'azure'],
  ['Anthropic', 'anthropic'],
  ['Gemini', 'gemini'],
  ['VertexAI', 'vertex-ai'],
  ['Bedrock', 'bedrock'],
  ['Cohere', 'cohere'],
  ['Mistral', 'mistral'],
  ['OpenInference', 'open-inference'],
])

/** The simulated provider of an endpoint, and what it wants to be shown; `secret` is the value of the endpoint's Secret. */
export function simulationOf(
  { provider }: Pick<CompiledEndpoint, 'provider'>,
  secret: string | undefined,
): Pick<MockOptions, 'provider' | 'echo' | 'apiKey'> {
  if (provider.type === 'HTTP') return { echo: true, apiKey: secret }
  const vllm = provider.settings?.['preset'] === 'VLLM'
  return {
    provider: vllm ? 'vllm' : (simulated.get(provider.type) ?? 'openai'),
    apiKey: secret && keyOf(provider.type, secret),
  }
}

/** What a simulated provider knows of a credential: the key itself, or the half that checks what the other half signed. */
function keyOf(type: ProviderType, secret: string): string | undefined {
  if (type === 'Bedrock') {
    const keys = readAwsSecret(secret)
    return 'apiKey' in keys ? keys.apiKey : `${keys.accessKeyId}:${keys.secretAccessKey}`
  }
  if (type !== 'VertexAI') return secret
  const { private_key: key } = JSON.parse(secret) as { private_key: string } // compiled: it is a service account's
  return createPublicKey(key).export({ type: 'spki', format: 'pem' })
}
