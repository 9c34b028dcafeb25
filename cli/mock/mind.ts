import { sample } from './sample.ts'
import { seedOf, tokensOf } from './text.ts'

/** Who answers, with how many tokens where the request sets no lower bound, at what time (seconds since 1970). */
export interface Voice {
  readonly name: string
  readonly tokens: number
  readonly created: number
  /** What it says whatever it is asked, in the place of an answer of its own; and the arguments of its calls. */
  readonly says?: string | undefined
  readonly arguments?: string | undefined
}

/** One turn of a conversation, whatever format it came in. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
  /** What came besides text: media types such as `image/png`, or addresses. */
  readonly seen?: readonly string[] | undefined
  /** Ids of calls that are to be answered, for formats that keep the conversation. */
  readonly calls?: readonly string[]
}

/** A function that may be called. */
export interface Callable {
  readonly name: string
  readonly schema: unknown
}

/** What is asked, whatever format it came in: the same gets the same answer from every simulated provider. */
export interface Prompt {
  readonly voice: Voice
  /** A last one of `assistant` is the beginning of the answer, which goes on from there, unless the provider answers `anew`. */
  readonly turns: readonly Turn[]
  readonly anew?: boolean
  /** Which of several answers; 0 unless given. */
  readonly choice?: number
  /** Those that may be called; empty where the request forbids it. */
  readonly tools: readonly Callable[]
  /** `any`: one has to be called, even where a tool has answered already; `{name}`: that one. */
  readonly must?: 'any' | { readonly name: string } | undefined
  /** Whether several may be called at once; true unless given. */
  readonly parallel?: boolean
  /** The answer is JSON, of that schema where there is one. */
  readonly json?: { readonly schema?: unknown } | undefined
  /** Tokens that the answer may have, thought included. */
  readonly limit?: number | undefined
  readonly stop?: readonly string[] | undefined
  /** Tokens of thought before the answer; 0 unless given. */
  readonly think?: number | undefined
}

/** An answer before any format. */
export interface Saying {
  /** Of the request, for ids. */
  readonly seed: number
  readonly thought: readonly string[]
  readonly text: readonly string[]
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  readonly finish: 'stop' | 'length' | 'calls' | 'sequence'
  /** The stop sequence that ended it. */
  readonly sequence?: string
  /** Thought, text and arguments together. */
  readonly tokens: number
}

/**
 * The answer to a prompt, always the same. Tools are called as long as none has answered since the user spoke: those that the user names
 * (several at once where that is allowed), else the first. A user who says "aloud" hears words before the calls.
 */
export function think(prompt: Prompt): Saying {
  const { voice, tools, must, choice = 0, parallel = true, limit = Infinity } = prompt
  const last = prompt.turns.at(-1)
  const begun = last?.role === 'assistant' && prompt.anew !== true
  const opening = begun ? last.text : ''
  const turns = begun ? prompt.turns.slice(0, -1) : prompt.turns
  const user = turns.findLast(({ role }) => role === 'user')
  const heard = user?.text ?? ''
  // Formats put the words of the system in different places and orders: they are no part of what makes two prompts the same.
  const seed = seedOf(
    `${choice}${JSON.stringify(turns.filter(({ role }) => role !== 'system').map(({ role, text }) => [role, text]))}`,
  )
  const thought = prompt.think ? tokensOf(voice.name, `thinks: ${heard}`, seed + 1, prompt.think) : []
  const answered = turns.at(-1)?.role === 'tool'
  const wanted =
    must === undefined ? (answered ? [] : chosen(tools, heard, parallel)) : forced(tools, must, heard, parallel)
  const said =
    wanted.length > 0
      ? /\baloud\b/i.test(heard)
        ? tokensOf(voice.name, heard, seed, 6)
        : []
      : words(prompt, heard, user?.seen ?? [], seed)
  const calls = wanted.map(({ name, schema }) => ({
    name,
    arguments: voice.arguments ?? JSON.stringify(sample(schema, heard)),
  }))
  const stopped = untilStop(continued(said, opening), prompt.stop ?? [])
  const room = Math.max(0, limit - thought.length)
  const text = stopped.tokens.slice(0, room)
  const tokens = thought.length + text.length + calls.reduce((sum, it) => sum + pieces(it.arguments).length, 0)
  if (text.length < stopped.tokens.length || thought.length > limit)
    return {
      seed,
      thought: thought.slice(0, limit),
      text,
      calls: [],
      finish: 'length',
      tokens: Math.min(limit, tokens),
    }
  const whole = { seed, thought, text, calls, tokens }
  if (calls.length > 0) return { ...whole, finish: 'calls' }
  return stopped.sequence === undefined
    ? { ...whole, finish: 'stop' }
    : { ...whole, finish: 'sequence', sequence: stopped.sequence }
}

/** A text in pieces of eight characters, as the arguments of a call are streamed. */
export function pieces(text: string): readonly string[] {
  return text.match(/.{1,8}/gsu) ?? []
}

function chosen(tools: readonly Callable[], heard: string, parallel: boolean): readonly Callable[] {
  const named = tools.filter(({ name }) => heard.includes(name))
  const wanted = named.length > 0 ? named : tools
  return parallel && named.length > 1 ? named : wanted.slice(0, 1)
}

function forced(
  tools: readonly Callable[],
  must: 'any' | { readonly name: string },
  heard: string,
  parallel: boolean,
): readonly Callable[] {
  return must === 'any' ? chosen(tools, heard, parallel) : tools.filter(({ name }) => name === must.name)
}

function words({ voice, json }: Prompt, heard: string, seen: readonly string[], seed: number): readonly string[] {
  if (voice.says !== undefined) return voice.says.match(/\s*\S+|\s+$/g) ?? []
  if (!json) return tokensOf(voice.name, heard, seed, voice.tokens, seen)
  return pieces(JSON.stringify(json.schema === undefined ? { name: voice.name, heard } : sample(json.schema, heard)))
}

/** What is still to be said of an answer whose beginning stands already; all of it where that is another answer's. */
function continued(tokens: readonly string[], opening: string): readonly string[] {
  const text = tokens.join('')
  if (opening === '' || !text.startsWith(opening)) return tokens
  let at = 0
  return tokens.flatMap((token) => {
    const rest = token.slice(Math.max(0, opening.length - at))
    at += token.length
    return rest === '' ? [] : [rest]
  })
}

/** The tokens before the first of the stop sequences. */
function untilStop(
  tokens: readonly string[],
  stop: readonly string[],
): { readonly tokens: readonly string[]; readonly sequence?: string } {
  const text = tokens.join('')
  const found = stop
    .filter((it) => it !== '')
    .map((sequence) => ({ sequence, at: text.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at)[0]
  if (!found) return { tokens }
  let at = 0
  const kept = tokens.flatMap((token) => {
    const part = token.slice(0, Math.max(0, found.at - at))
    at += token.length
    return part === '' ? [] : [part]
  })
  return { tokens: kept, sequence: found.sequence }
}
