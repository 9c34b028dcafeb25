import { count, record } from '../../openai-usage.ts'
import type { Usage } from '../../usage.ts'

/**
 * The tokens of `usageMetadata`, by OpenAI's convention: https://ai.google.dev/api/generate-content#UsageMetadata. The prompt includes what
 * was cached, and not what tools of Google's own put into it; candidates do not include thought.
 */
export function usageOf(value: unknown): Usage | undefined {
  const usage = record(value)
  // A refused prompt has the object, without a number in it.
  if (!usage || (usage['promptTokenCount'] ?? usage['totalTokenCount']) === undefined) return undefined
  const prompt = count(usage['promptTokenCount'])
  const tools = count(usage['toolUsePromptTokenCount'])
  const thoughts = count(usage['thoughtsTokenCount'])
  const input = [usage['promptTokensDetails'], usage['toolUsePromptTokensDetails']]
  const output = [usage['candidatesTokensDetails']]
  const cachedAudio = of('AUDIO', [usage['cacheTokensDetails']])
  const imageOutput = of('IMAGE', output)
  const videoInput = of('VIDEO', input)
  return {
    input: prompt + tools,
    output: count(usage['candidatesTokenCount']) + thoughts,
    cached: count(usage['cachedContentTokenCount']),
    cacheWrite: 0,
    cacheWrite1h: 0,
    reasoning: thoughts,
    audioInput: of('AUDIO', input),
    audioOutput: of('AUDIO', output),
    imageInput: of('IMAGE', input),
    ...(cachedAudio > 0 ? { cachedAudio } : {}),
    ...(imageOutput > 0 ? { imageOutput } : {}),
    ...(videoInput > 0 ? { videoInput } : {}),
  }
}

/** The same as a caller reads it. */
export function writeUsage(usage: Usage): Readonly<Record<string, unknown>> {
  const { input, output, cached, reasoning, audioInput, audioOutput, imageInput, imageOutput = 0 } = usage
  const prompt = details(input, audioInput, imageInput)
  const said = details(output - reasoning, audioOutput, imageOutput)
  return {
    promptTokenCount: input,
    candidatesTokenCount: output - reasoning,
    totalTokenCount: input + output,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    ...(prompt.length > 0 ? { promptTokensDetails: prompt } : {}),
    ...(said.length > 0 ? { candidatesTokensDetails: said } : {}),
  }
}

function details(whole: number, audio: number, image: number): readonly unknown[] {
  return [
    { modality: 'TEXT', tokenCount: whole - audio - image },
    { modality: 'AUDIO', tokenCount: audio },
    { modality: 'IMAGE', tokenCount: image },
  ].filter(({ tokenCount }) => tokenCount > 0)
}

function of(modality: string, lists: readonly unknown[]): number {
  return lists
    .flatMap((list) => (Array.isArray(list) ? (list as readonly unknown[]) : []))
    .map(record)
    .reduce((sum, it) => sum + (it?.['modality'] === modality ? count(it['tokenCount']) : 0), 0)
}
