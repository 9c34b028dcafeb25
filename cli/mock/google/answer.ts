import { type Answer, bodyOf, event, json, Refusal, streamed } from '../answer.ts'
import { type Prompt, type Saying, think, type Voice } from '../mind.ts'
import { countTokens, seedOf } from '../text.ts'
import { choiceOf, type Config, configOf, toolsOf, versionOf } from './config.ts'
import { instruction, type Rules, signature, turnsOf } from './contents.ts'
import { type Body, list, message } from './fields.ts'
import { invalid } from './words.ts'

const BODY: ReadonlySet<string> = new Set(
  'model contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent serviceTier labels store'.split(
    ' ',
  ),
)
const SAFETY: ReadonlySet<string> = new Set(['category', 'threshold', 'method'])

/** How a model is asked. */
export interface Asked {
  readonly model: string
  readonly stream: boolean
  /** `alt=sse`: events; else a list as one JSON text. */
  readonly sse: boolean
  readonly vertex: boolean
}

/** `generateContent` and `streamGenerateContent`: https://ai.google.dev/api/generate-content */
export function generate(sent: Body, asked: Asked, voice: Voice): Answer {
  if (!asked.stream || asked.sse) return said(sent, asked, voice)
  try {
    return said(sent, asked, voice)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // A list has its errors in a list.
    const { answer } = error
    throw new Refusal(error.message, { ...answer, parts: [`[${String(bodyOf(answer))}]`] })
  }
}

function said(sent: Body, { model, stream, sse, vertex }: Asked, voice: Voice): Answer {
  const body = message(sent, '', BODY)
  if (body['cachedContent'] !== undefined) throw invalid('CachedContent not found (or permission denied)', 403)
  for (const [i, it] of list(body, 'safetySettings', '').entries()) message(it, `safetySettings[${i}]`, SAFETY)
  const version = versionOf(model)
  const rules: Rules = { vertex, signed: version >= 3 && !model.includes('image') }
  const turns = [...instruction(body['systemInstruction'], rules), ...turnsOf(body['contents'], rules)]
  const tools = toolsOf(body)
  const config = configOf(body['generationConfig'], model, tools.length > 0)
  const prompt: Prompt = { voice, turns, ...choiceOf(body['toolConfig'], tools), ...config }
  const says = Array.from({ length: config.candidates }, (_, choice) => think({ ...prompt, choice }))
  const input = countTokens(turns.map(({ text }) => text).join('\n'))
  const tokens = says.reduce((sum, it) => sum + it.tokens, 0)
  const meta = { modelVersion: model, responseId: `mock${seedOf(JSON.stringify(turns)).toString(16).padStart(8, '0')}` }
  if (!stream) {
    const candidates = says.map((it, index) => ({
      content: { parts: partsOf(it, config, version), role: 'model' },
      finishReason: finishOf(it),
      index,
      ...logprobsOf(it.text, config),
    }))
    return json({ candidates, usageMetadata: usageOf(input, says), ...meta }, 200, {}, tokens)
  }
  const chunks = says.flatMap((it, index) => chunksOf(it, index, config, version))
  // So far: the numbers grow, and the last are those of the whole.
  const all = chunks.map((candidate, i) => ({
    candidates: [candidate],
    usageMetadata: usageOf(input, says, (i + 1) / chunks.length),
    ...meta,
  }))
  if (sse)
    return streamed(
      all.map((it) => event(it).replace(/\n\n$/, '\r\n\r\n')),
      tokens,
    )
  return json(all, 200, {}, tokens)
}

/** `countTokens`: https://ai.google.dev/api/tokens */
export function countTokensOf(sent: Body, vertex: boolean): Answer {
  const body = message(sent, '', new Set([...BODY, 'generateContentRequest']))
  const { generateContentRequest: request } = body
  const { contents } = request === undefined ? body : message(request, 'generateContentRequest', BODY)
  const turns = turnsOf(contents, { vertex, signed: false })
  return json({ totalTokens: countTokens(turns.map(({ text }) => text).join('\n')) })
}

/** The last word is STOP where functions are called, too. */
const finishOf = ({ finish }: Saying): string => (finish === 'length' ? 'MAX_TOKENS' : 'STOP')

function callsOf({ calls, seed }: Saying, version: number): readonly unknown[] {
  return calls.map(({ name, arguments: text }, i) => ({
    functionCall: {
      // Older models have no ids.
      ...(version >= 3 ? { id: seedOf(`${seed} ${i}`).toString(16).padStart(8, '0') } : {}),
      name,
      args: JSON.parse(text),
    },
    ...(version >= 3 && i === 0 ? { thoughtSignature: signature(name) } : {}),
  }))
}

function partsOf(saying: Saying, { showThought }: Config, version: number): readonly unknown[] {
  const { thought, text } = saying
  return [
    ...(showThought && thought.length > 0 ? [{ text: thought.join(''), thought: true }] : []),
    ...(text.length > 0 ? [{ text: text.join('') }] : []),
    ...callsOf(saying, version),
  ]
}

/** Token by token, each call whole in a chunk of its own, and an empty text at the end. */
function chunksOf(saying: Saying, index: number, config: Config, version: number): readonly unknown[] {
  const chunk = (part: unknown, rest: object = {}): unknown => ({
    content: { parts: [part], role: 'model' },
    ...rest,
    index,
  })
  return [
    ...(config.showThought ? saying.thought.map((text) => chunk({ text, thought: true })) : []),
    ...saying.text.map((text) => chunk({ text }, logprobsOf([text], config))),
    ...callsOf(saying, version).map((part) => chunk(part)),
    chunk({ text: '' }, { finishReason: finishOf(saying) }),
  ]
}

function logprobsOf(tokens: readonly string[], { logprobs }: Config): object {
  if (logprobs === undefined) return {}
  const one = (token: string, i: number): unknown => ({
    token,
    tokenId: seedOf(token) % 100_000,
    logProbability: -(i + 1) / 8,
  })
  return {
    logprobsResult: {
      chosenCandidates: tokens.map((token) => one(token, 0)),
      topCandidates: tokens.map((token) => ({
        candidates: Array.from({ length: logprobs }, (_, i) => one(i === 0 ? token : `${token}${i}`, i)),
      })),
    },
  }
}

/** Thought is not among the tokens of the candidates; `part`: how much of the answer there is so far. */
function usageOf(input: number, says: readonly Saying[], part = 1): unknown {
  const thoughts = says.reduce((sum, it) => sum + it.thought.length, 0)
  const whole = says.reduce((sum, it) => sum + it.tokens, 0) - thoughts
  const said = Math.round(whole * part)
  return {
    promptTokenCount: input,
    ...(said > 0 ? { candidatesTokenCount: said } : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
    totalTokenCount: input + said + thoughts,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
  }
}
