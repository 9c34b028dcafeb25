import { answerKey } from './answer-key.ts'
import { DENSE, denseReader } from './dense.ts'
import { capped } from './text.ts'

const dense = denseReader()

/** An answer as the gate sees it. */
export interface GatedAnswer {
  readonly text: string
  /** As OpenAI's dialect says it: `stop`, `length`, … */
  readonly finishReason?: string | undefined
  /** Natural logarithms of the probabilities of its tokens, where the endpoint gave them. */
  readonly logprobs?: ArrayLike<number> | undefined
}

/** What is read of an answer, in the order of its array. */
const ANSWER = [
  'logChars',
  'charsToPrompt',
  'cut',
  'empty',
  'refusal',
  'hedging',
  'secondThoughts',
  'repetition',
  'distinctWords',
  'digitShare',
  'lines',
  'fromPrompt',
  'otherScript',
  'json',
  'brokenJson',
  'noKey',
  'keyLength',
  'keyNumeric',
  'keyFraction',
  'keyUnsupported',
  'logprobsKnown',
  'logprobMean',
  'logprobLeast',
] as const

/** What is read of a second cheap answer beside the first. */
const SECOND = ['second', 'agrees', 'similar'] as const

/** Agreement means more on some prompts than on others: these are multiplied with it. */
const CROSSED = ['digitShare', 'codeMarks', 'mathMarks', 'logChars', 'numbers'] as const

/** The names of the gate's features, in the order of their array; an artefact says of how many it was made. */
export const GATE_FEATURES: readonly string[] = [
  ...DENSE.map((name) => `prompt.${name}`),
  ...ANSWER.map((name) => `answer.${name}`),
  ...SECOND,
  ...CROSSED.map((name) => `agrees.${name}`),
]

/**
 * Reads the gate's features of a prompt (the text that is classified), an answer to it, and where there is one a second cheap endpoint's answer.
 * Counts are logarithms (ln(1 + n)), shares lie in [0, 1]. Time is bounded: of longer texts the beginning and the end are read.
 */
export function gateFeatures(prompt: string, answer: GatedAnswer, second?: GatedAnswer): Float64Array {
  const out = new Float64Array(GATE_FEATURES.length)
  const asked = words(prompt)
  const said = words(answer.text)
  const text = capped(answer.text)
  const answered = dense(text).slice()
  const about = dense(capped(prompt))
  out.set(about)

  const key = answerKey(answer.text)
  const shape = jsonShape(answer.text)
  const of = (name: (typeof DENSE)[number], values: Float64Array): number => values[DENSE.indexOf(name)] ?? 0
  const known = answer.logprobs !== undefined && answer.logprobs.length > 0
  const { mean, least } = logprobs(answer.logprobs ?? [])
  const features = {
    logChars: of('logChars', answered),
    charsToPrompt: of('logChars', answered) - of('logChars', about),
    cut: flag(answer.finishReason === 'length'),
    empty: flag(answer.text.trim() === ''),
    refusal: flag(REFUSAL.test(text)),
    hedging: Math.log1p(count(text, HEDGING)),
    secondThoughts: Math.log1p(count(text, SECOND_THOUGHTS)),
    repetition: repetition(said),
    distinctWords: of('typeTokenRatio', answered),
    digitShare: of('digitShare', answered),
    lines: of('logLines', answered),
    fromPrompt: overlap(said, asked),
    otherScript: Math.abs(of('foreignShare', answered) - of('foreignShare', about)),
    json: flag(shape === 'whole'),
    brokenJson: flag(shape === 'broken'),
    noKey: flag(key === ''),
    keyLength: Math.log1p(key.length),
    keyNumeric: flag(NUMBER.test(key)),
    keyFraction: flag(/^-?\d*[./]\d+$/.test(key)),
    keyUnsupported: flag(NUMBER.test(key) && count(answer.text.replaceAll(/(?<=\d),(?=\d{3})/g, ''), asWhole(key)) < 2),
    logprobsKnown: flag(known),
    logprobMean: mean,
    logprobLeast: least,
  } satisfies Record<(typeof ANSWER)[number], number>
  let at = DENSE.length
  for (const name of ANSWER) out[at++] = features[name]
  if (second === undefined) return out

  const agrees = key !== '' && key === answerKey(second.text) ? 1 : -1
  out[at++] = 1
  out[at++] = agrees
  out[at++] = jaccard(said, words(second.text))
  for (const name of CROSSED) out[at++] = agrees * of(name, about)
  return out
}

const flag = (is: boolean): number => (is ? 1 : 0)

const NUMBER = /^-?\d+(\.\d+)?$/

const REFUSAL =
  /\b(?:I(?:'m| am) (?:sorry|unable|not able)|I (?:cannot|can't|can not|won't) (?:help|assist|provide|answer|determine|access|fulfil)|as an AI|(?:text|context|document|passage|information)(?: provided)? (?:does not|doesn't) (?:contain|mention|include|say)|not enough information|cannot be determined|n'est pas mentionné|no puedo|je ne peux pas|ich kann (?:leider )?nicht)\b/i
const HEDGING =
  /\b(?:probably|perhaps|maybe|might|possibly|likely|seems?|appears?|I think|I believe|I guess|approximately|roughly|not sure|unclear|uncertain|assum(?:e|ing))\b/gi
const SECOND_THOUGHTS =
  /\b(?:wait|actually|however|let me (?:re|check|try)\w*|let's re\w+|mistake|correction|incorrect|on second thought|re-?evaluat\w+|re-?examin\w+|re-?check\w*|contradict\w*)\b/gi

function count(text: string, pattern: RegExp): number {
  let found = 0
  pattern.lastIndex = 0
  while (found < 1000 && pattern.test(text)) found++
  return found
}

/** A number where it stands alone: `12` not in `120` or `3.12`. */
const asWhole = (key: string): RegExp => new RegExp(`(?<![\\d.])${key.replaceAll('.', '\\.')}(?![\\d]|\\.\\d)`, 'g')

const words = (text: string): readonly string[] =>
  capped(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

/** The share of runs of four words that came before in the same text. */
function repetition(said: readonly string[]): number {
  const seen = new Set<string>()
  const runs = said.length - 3
  for (let at = 0; at < runs; at++) seen.add(`${said[at]} ${said[at + 1]} ${said[at + 2]} ${said[at + 3]}`)
  return runs > 0 ? 1 - seen.size / runs : 0
}

/** The share of words of a text that another has too. */
function overlap(said: readonly string[], asked: readonly string[]): number {
  const known = new Set(asked)
  return said.length === 0 ? 0 : said.reduce((sum, word) => sum + flag(known.has(word)), 0) / said.length
}

function jaccard(one: readonly string[], other: readonly string[]): number {
  const [a, b] = [new Set(one), new Set(other)]
  const both = a.intersection(b).size
  return a.size + b.size === both ? 0 : both / (a.size + b.size - both)
}

/** Whether a text is JSON, by itself or in a fence; `none` where it does not set out to be. */
function jsonShape(text: string): 'whole' | 'broken' | 'none' {
  const fenced = /```(?:json)?\s*([{[][\s\S]*?)```/i.exec(text)?.[1]
  const bare = (fenced ?? text).trim()
  if (!/^[{[]/.test(bare)) return 'none'
  try {
    JSON.parse(bare)
    return 'whole'
  } catch {
    return 'broken'
  }
}

function logprobs(values: ArrayLike<number>): { mean: number; least: number } {
  let [sum, least] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    // A token that was all but impossible says no more than that.
    const value = Math.max(values[i] ?? 0, -20)
    sum += value
    least = Math.min(least, value)
  }
  return { mean: values.length === 0 ? 0 : sum / values.length, least }
}
