import type { TextRule, Turn } from '../../core/learning/text.ts'
import { textOf } from '../../core/learning/text.ts'
import { promptKey } from '../../core/learning/split.ts'
import { Failure } from '../failure.ts'
import { readCsv } from './csv.ts'

/** One prompt with what is known of each model's answer to it. */
export interface TrainingRow {
  /** What is classified, by the text rule. */
  readonly text: string
  readonly segment: string
  /** Quality in [0, 1] by model. */
  readonly quality: ReadonlyMap<string, number>
  /** What models said, where the rows have it. */
  readonly answers: ReadonlyMap<string, string>
}

export interface ReadOptions {
  readonly text: TextRule
  /** The column that names a row's segment; without one all rows are `*`. */
  readonly segment?: string
}

/** A record before its meaning: its fields, and what to call the place it is at. */
interface Found {
  readonly at: string
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Reads training rows from the text of files, JSON Lines or CSV by their names (`.csv`). Rows of the same text become one with the mean of what they
 * say of each model. Throws `Failure`: file, line, column, and what is expected there.
 */
export function readTraining(
  files: readonly { readonly name: string; readonly text: string }[],
  { text: rule, segment }: ReadOptions,
): readonly TrainingRow[] {
  const merged = new Map<
    string,
    { text: string; segment: string; known: Map<string, number[]>; answers: Map<string, string> }
  >()
  for (const { name, text } of files)
    for (const found of /\.csv(\.gz)?$/.test(name) ? fromCsv(name, text) : fromJsonLines(name, text)) {
      const own = promptOf(found, rule)
      const part = segment === undefined ? '*' : segmentOf(found, segment)
      const key = `${part}\n${promptKey(own)}`
      const row = merged.get(key) ?? {
        text: own,
        segment: part,
        known: new Map<string, number[]>(),
        answers: new Map<string, string>(),
      }
      merged.set(key, row)
      for (const [model, quality] of qualitiesOf(found))
        row.known.set(model, [...(row.known.get(model) ?? []), quality])
      // Of several answers of one model to one prompt the first is read.
      for (const [model, answer] of answersOf(found)) if (!row.answers.has(model)) row.answers.set(model, answer)
    }
  return [...merged.values()].map(({ known, ...row }) => ({
    ...row,
    quality: new Map([...known].map(([model, all]) => [model, all.reduce((sum, it) => sum + it, 0) / all.length])),
  }))
}

function* fromJsonLines(name: string, text: string): Iterable<Found> {
  let line = 0
  for (const one of text.split('\n')) {
    line++
    if (one.trim() === '') continue
    const at = `${name}:${line}`
    let fields: unknown
    try {
      fields = JSON.parse(one)
    } catch (error) {
      throw new Failure(`${at}: this line is no JSON: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (!isObject(fields))
      throw new Failure(`${at}: a line must be a JSON object such as {"prompt": …, "quality": {…}}`)
    yield { at, fields }
  }
}

const KINDS = ['quality', 'acceptable', 'answer'] as const
const NESTED = /^(quality|acceptable|answer):(.+)$/

/** Columns `quality:MODEL`, `acceptable:MODEL` and `answer:MODEL` become the objects that JSON Lines have. */
function* fromCsv(name: string, text: string): Iterable<Found> {
  const [head, ...records] = readCsv(text.replace(/^\uFEFF/, ''), name)
  if (!head) throw new Failure(`${name}: the file is empty; its first line must name the columns`)
  const columns = head.cells.map((cell) => cell.trim())
  const twice = columns.find((column, at) => columns.indexOf(column) !== at)
  if (twice !== undefined) throw new Failure(`${name}:${head.line}: there are two columns "${twice}"`)
  for (const { line, cells } of records) {
    const at = `${name}:${line}`
    if (cells.length !== columns.length)
      throw new Failure(
        `${at}: there are ${cells.length} cells where line ${head.line} names ${columns.length} columns`,
      )
    const fields: Record<string, unknown> = {}
    const nested: Record<(typeof KINDS)[number], Record<string, unknown>> = { quality: {}, acceptable: {}, answer: {} }
    for (const [place, column] of columns.entries()) {
      const cell = cells[place]?.trim() ?? ''
      const [, named, model] = NESTED.exec(column) ?? []
      const kind = KINDS.find((it) => it === named)
      if (kind !== undefined && model !== undefined) {
        if (cell !== '') nested[kind][model] = cell
      } else if (cell !== '') fields[column] = column === 'prompt' ? cells[place] : cell
    }
    for (const kind of KINDS) if (Object.keys(nested[kind]).length > 0) fields[kind] = nested[kind]
    yield { at, fields }
  }
}

function promptOf({ at, fields: { prompt, messages } }: Found, rule: TextRule): string {
  if (typeof prompt === 'string' && prompt.trim() !== '') return prompt
  if (prompt !== undefined) throw new Failure(`${at}: column "prompt": it must be a text that is not empty`)
  if (!Array.isArray(messages)) throw new Failure(`${at}: there is no column "prompt" (or "messages")`)
  const text = textOf(
    messages.map((message: unknown, index) => turnOf(at, message, index)),
    rule,
  )
  if (text.trim() === '') throw new Failure(`${at}: column "messages": there is no text to classify`)
  return text
}

function turnOf(at: string, message: unknown, index: number): Turn {
  const wrong = (): Failure =>
    new Failure(`${at}: column "messages", number ${index + 1}: it must be {"role": text, "content": text or parts}`)
  if (!isObject(message) || typeof message['role'] !== 'string') throw wrong()
  const { role, content } = message as { readonly role: string; readonly content?: unknown }
  if (typeof content === 'string') return { role, text: content }
  if (!Array.isArray(content)) throw wrong()
  const texts = content.flatMap((part: unknown) =>
    isObject(part) && typeof part['text'] === 'string' ? [part['text']] : [],
  )
  return { role, text: texts.join('\n') }
}

function segmentOf({ at, fields }: Found, column: string): string {
  const value = fields[column]
  if (typeof value === 'string' && value !== '') return value
  throw new Failure(`${at}: there is no column "${column}", which --segment names`)
}

/** Each of the formats says what is known of some models; a row is of exactly one. */
function qualitiesOf(found: Found): readonly (readonly [string, number])[] {
  const { at, fields } = found
  const has = (...names: readonly string[]): boolean => names.every((name) => fields[name] !== undefined)
  if (has('model_a') || has('model_b') || has('winner')) return preference(found)
  if (has('model')) {
    const model = modelName(at, 'model', fields['model'])
    if (has('quality')) return [[model, share(at, 'quality', fields['quality'])]]
    if (has('acceptable')) return [[model, yesOrNo(at, 'acceptable', fields['acceptable'])]]
    throw new Failure(`${at}: beside "model" there must be a column "quality" or "acceptable"`)
  }
  const [kind, read] = has('quality') ? (['quality', share] as const) : (['acceptable', yesOrNo] as const)
  const byModel = fields[kind]
  if (byModel === undefined)
    throw new Failure(
      `${at}: nothing is said of any model: there must be "quality" or "acceptable" by model, or "model_a", "model_b" and "winner"`,
    )
  if (!isObject(byModel)) throw new Failure(`${at}: column "${kind}": it must be an object from model to value`)
  const entries = Object.entries(byModel)
  if (entries.length === 0) throw new Failure(`${at}: column "${kind}": it names no model`)
  return entries.map(([model, value]) => [modelName(at, kind, model), read(at, `${kind}:${model}`, value)])
}

/** What models said: of the one that the row is of, of both of a preference, or by model. */
function answersOf({ at, fields }: Found): readonly (readonly [string, string])[] {
  const { model, model_a, model_b, answer, answer_a, answer_b } = fields
  const said = (column: string, by: unknown, value: unknown): readonly (readonly [string, string])[] => {
    if (value === undefined) return []
    if (typeof value !== 'string') throw new Failure(`${at}: column "${column}": it must be the text of an answer`)
    return [[modelName(at, column, by), value]]
  }
  if (model !== undefined) return said('answer', model, answer)
  if (model_a !== undefined) return [...said('answer_a', model_a, answer_a), ...said('answer_b', model_b, answer_b)]
  if (answer === undefined) return []
  if (!isObject(answer)) throw new Failure(`${at}: column "answer": it must be an object from model to text`)
  return Object.entries(answer).flatMap(([name, value]) => said(`answer:${name}`, name, value))
}

const WINNERS: ReadonlyMap<unknown, readonly [number, number]> = new Map([
  ['model_a', [1, 0]],
  ['model_b', [0, 1]],
  ['tie', [1, 1]],
  ['both_bad', [0, 0]],
  // As Chatbot Arena writes it.
  ['tie (bothbad)', [0, 0]],
])

/** An answer that won, or was no worse, was good enough; one that lost was not. */
function preference({ at, fields: { model_a, model_b, winner } }: Found): readonly (readonly [string, number])[] {
  const [a, b] = [modelName(at, 'model_a', model_a), modelName(at, 'model_b', model_b)]
  if (a === b) throw new Failure(`${at}: column "model_b": it must be another model than model_a`)
  const values = WINNERS.get(winner)
  if (!values) throw new Failure(`${at}: column "winner": it must be model_a, model_b, tie or both_bad`)
  return [
    [a, values[0]],
    [b, values[1]],
  ]
}

function modelName(at: string, column: string, value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 256) return value
  throw new Failure(`${at}: column "${column}": it must be the name of a model, of at most 256 characters`)
}

function share(at: string, column: string, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && number >= 0 && number <= 1) return number
  throw new Failure(`${at}: column "${column}": it must be a number from 0 to 1, not ${JSON.stringify(value)}`)
}

const WORDS: ReadonlyMap<string, number> = new Map([
  ['true', 1],
  ['yes', 1],
  ['1', 1],
  ['false', 0],
  ['no', 0],
  ['0', 0],
])

function yesOrNo(at: string, column: string, value: unknown): number {
  const found = WORDS.get(String(value).toLowerCase())
  if (found !== undefined) return found
  throw new Failure(`${at}: column "${column}": it must be true or false (yes, no, 1, 0), not ${JSON.stringify(value)}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
