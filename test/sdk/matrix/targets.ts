import type { CompiledEndpoint } from '../../../api/compiled.ts'
import { accountKey, publicPem } from '../gemini-lab.ts'

/** A provider that answers, simulated, with a model of its. */
export interface MatrixTarget {
  /** As the table names it. */
  readonly name: string
  readonly provider: CompiledEndpoint['provider']
  readonly model: string
  /** The simulated provider, and the key that it wants. */
  readonly mock: { readonly provider: string; readonly apiKey: string }
  /** After the address of the simulated provider. */
  readonly basePath: string
  /** The Secret that the endpoint uses, by the address of the simulated provider. */
  readonly secret: (url: string) => string
}

const KEY = 'the-endpoints-own'

function keyed(
  name: string,
  provider: CompiledEndpoint['provider'],
  model: string,
  mock: string,
  basePath = '',
): MatrixTarget {
  return { name, provider, model, mock: { provider: mock, apiKey: KEY }, basePath, secret: () => KEY }
}

const vertex = {
  provider: { type: 'VertexAI', settings: { project: 'my-project', location: 'europe-west4' } },
  mock: { provider: 'vertex-ai', apiKey: publicPem },
  basePath: '',
  secret: (url: string) => accountKey(`${url}/token`),
} as const

export const matrixTargets: readonly MatrixTarget[] = [
  keyed('OpenAI', { type: 'OpenAI' }, 'gpt-4o', 'openai', '/v1'),
  keyed('Azure OpenAI', { type: 'AzureOpenAI', settings: { apiVersion: '2024-10-21' } }, 'gpt-4o-mini', 'azure'),
  keyed('Anthropic', { type: 'Anthropic', settings: { beta: [] } }, 'claude-opus-4-7', 'anthropic'),
  keyed('Gemini', { type: 'Gemini' }, 'gemini-2.5-flash', 'gemini'),
  { name: 'Vertex AI, Gemini', model: 'gemini-2.5-pro', ...vertex },
  { name: 'Vertex AI, Claude', model: 'claude-sonnet-4-5@20250929', ...vertex },
  {
    name: 'Bedrock',
    provider: { type: 'Bedrock', settings: { region: 'eu-west-1' } },
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    mock: { provider: 'bedrock', apiKey: 'AKIAMATRIX:the-secret-half' },
    basePath: '',
    secret: () => 'aws_access_key_id = AKIAMATRIX\naws_secret_access_key = the-secret-half\n',
  },
  keyed('Cohere', { type: 'Cohere' }, 'command-a-vision-07-2025', 'cohere'),
  keyed('Mistral', { type: 'Mistral' }, 'mistral-medium-2508', 'mistral', '/v1'),
  keyed('vLLM', { type: 'OpenAICompatible', settings: { preset: 'VLLM' } }, 'qwen3-vl', 'openai', '/v1'),
]
