import { anthropic } from './anthropic.ts'
import { bedrock } from './bedrock.ts'
import { azure } from './azure.ts'
import { cohere } from './cohere.ts'
import { gemini } from './gemini.ts'
import { mistral } from './mistral.ts'
import { openInference } from './open-inference.ts'
import { openai } from './openai.ts'
import type { MockProvider } from './provider.ts'
import { vertexAI } from './vertex-ai.ts'
import { vllm } from './vllm.ts'

const all: readonly MockProvider[] = [
  openai,
  anthropic,
  bedrock,
  cohere,
  gemini,
  vertexAI,
  azure,
  mistral,
  vllm,
  openInference,
]

/** The names that `--provider` takes. */
export const mockProviders: readonly string[] = all.map(({ name }) => name)

/** The simulated provider of that name; throws with what there is. */
export function mockProvider(name: string): MockProvider {
  const found = all.find((it) => it.name === name)
  if (!found) throw new Error(`"${name}" is no simulated provider; there are ${mockProviders.join(', ')}`)
  return found
}
