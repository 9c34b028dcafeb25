import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip, gunzipSync } from 'node:zlib'
import { Failure } from '../failure.ts'
import { readTraining } from '../train/rows.ts'

/** What one model made of a prompt. */
export interface Known {
  /** 0…1. */
  readonly quality: number
  /** Tokens; undefined: not said, and estimated. */
  readonly input: number | undefined
  readonly output: number | undefined
  /** How long the whole answer took; 0 where that is not said. */
  readonly ms: number
  /** What it said; undefined: a gate has nothing to look at. */
  readonly text: string | undefined
}

/** One request of a data set with the answers of several models. */
export interface Row {
  readonly id: string
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  /** What the caller asks for; undefined: what the command was told. */
  readonly model: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly models: ReadonlyMap<string, Known>
}

/** The rows of a data set: JSON Lines, or CSV as `tradewind train` takes it; compressed where the name ends in `.gz`. Throws `Failure` with the line that is wrong. */
export async function readRows(file: string): Promise<readonly Row[]> {
  if (/\.csv(\.gz)?$/.test(file)) return fromCsv(file)
  const raw = createReadStream(file)
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  const rows: Row[] = []
  let number = 0
  try {
    // An error of the file itself does not come through the pipe.
    raw.on('error', (error) => input.destroy(error))
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line.trim() !== '') rows.push(rowOf(line, `${file}:${number}`, number))
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (rows.length === 0) throw new Failure(`${file} has no rows.`)
  return rows
}

/** The column `task`, where there is one, is the task that callers would name. */
function fromCsv(file: string): readonly Row[] {
  let text: string
  try {
    const raw = readFileSync(file)
    text = (file.endsWith('.gz') ? gunzipSync(raw) : raw).toString()
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const tasks = /^[^\n]*\btask\b/.test(text)
  const read = readTraining([{ name: file, text }], { text: 'LastUser', ...(tasks ? { segment: 'task' } : {}) })
  if (read.length === 0) throw new Failure(`${file} has no rows.`)
  return read.map(({ text: content, segment, quality, answers }, at) => ({
    id: `row-${at + 1}`,
    messages: [{ role: 'user', content }],
    model: undefined,
    headers: Object.fromEntries(tasks ? [['x-tradewind-task', segment]] : []),
    models: new Map(
      [...quality].map(([name, good]) => [
        name,
        { quality: good, input: undefined, output: undefined, ms: 0, text: answers.get(name) },
      ]),
    ),
  }))
}

function rowOf(line: string, at: string, number: number): Row {
  const read = parsed(line, at)
  const { id, prompt, messages, model, models, quality, task, headers } = read
  if (typeof prompt !== 'string' && !Array.isArray(messages))
    throw new Failure(`${at}: it needs a prompt, or messages.`)
  const known = isObject(models) ? models : isObject(quality) ? quality : undefined
  if (!known) throw new Failure(`${at}: it needs models: {NAME: {quality: …}}, or quality: {NAME: …}.`)
  return {
    id: typeof id === 'string' ? id : `row-${number}`,
    messages: Array.isArray(messages) ? (messages as Row['messages']) : [{ role: 'user', content: prompt }], // read as any caller's
    model: typeof model === 'string' ? model : undefined,
    headers: {
      ...(isObject(headers)
        ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
        : {}),
      ...(typeof task === 'string' ? { 'x-tradewind-task': task } : {}),
    },
    models: new Map(Object.entries(known).map(([name, value]) => [name, answerOf(value, `${at}: ${name}`)])),
  }
}

/** Names as `tradewind train` takes them, and shorter ones that data sets have. */
function answerOf(value: unknown, at: string): Known {
  const { quality, q, input, in_tok, output, out_tok, ms, text, resp } = isObject(value) ? value : { quality: value }
  const good = quality ?? q
  if (typeof good !== 'number' || !(good >= 0 && good <= 1)) throw new Failure(`${at} needs a quality from 0 to 1.`)
  const count = (it: unknown): number | undefined => (typeof it === 'number' && it >= 0 ? it : undefined)
  const said = text ?? resp
  return {
    quality: good,
    input: count(input ?? in_tok),
    output: count(output ?? out_tok),
    ms: count(ms) ?? 0,
    text: typeof said === 'string' ? said : undefined,
  }
}

function parsed(line: string, at: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(line)
    if (isObject(read)) return read
  } catch {
    // Said below.
  }
  throw new Failure(`${at}: it is no JSON object.`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
