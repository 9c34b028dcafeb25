import { anthropic } from './anthropic.ts'
import { azureOpenAI } from './azure-openai.ts'
import { bedrock } from './bedrock.ts'
import { cohere } from './cohere.ts'
import { gemini } from './gemini.ts'
import { http } from './http.ts'
import { mistral } from './mistral.ts'
import { openInference } from './open-inference.ts'
import { openaiCompatible } from './openai-compatible.ts'
import { openai } from './openai.ts'
import type { Provider } from './provider.ts'
import { vertexAI } from './vertex-ai.ts'
import { workersAI } from './workers-ai.ts'

const all = [
  openai,
  azureOpenAI,
  anthropic,
  gemini,
  vertexAI,
  bedrock,
  cohere,
  mistral,
  workersAI,
  openaiCompatible,
  openInference,
  http,
] as const

export type ProviderType = (typeof all)[number]['type']

/** Every provider, in the order in which the reference lists them. */
export const providers: readonly Provider[] = all

/** The names that `spec.provider.type` takes. */
export const providerTypes: readonly ProviderType[] = all.map((provider) => provider.type)

const byType: ReadonlyMap<string, Provider> = new Map(all.map((provider) => [provider.type, provider]))

/** The provider of that type; an unknown one is a fault of the program, since the schema admits only these. */
export function provider(type: ProviderType): Provider {
  const found = byType.get(type)
  if (!found) throw new Error(`unknown provider ${type}`)
  return found
}
