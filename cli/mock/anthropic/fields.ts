import { isRecord } from '../text.ts'
import { invalid } from './words.ts'

export type Body = Readonly<Record<string, unknown>>

/** Refuses members that the API does not have; `at` ends in a dot, or is empty. */
export function onlyKnown(value: Body, known: string, at = ''): void {
  const names = known.split(' ')
  const unknown = Object.keys(value).find((key) => !names.includes(key))
  if (unknown !== undefined) throw invalid(`${at}${unknown}: Extra inputs are not permitted`)
}

export function text(value: unknown, at: string): string {
  if (value === undefined) throw invalid(`${at}: Field required`)
  if (typeof value !== 'string') throw invalid(`${at}: Input should be a valid string`)
  return value
}

export function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${at}: Input should be a valid list`)
  return value
}

export function object(value: unknown, at: string): Body {
  if (value === undefined) throw invalid(`${at}: Field required`)
  if (!isRecord(value)) throw invalid(`${at}: Input should be an object`)
  return value
}

export function oneOf(value: unknown, words: string, at: string): string {
  const known = words.split(' ')
  if (typeof value !== 'string' || !known.includes(value))
    throw invalid(
      `${at}: Input should be ${known
        .map((word) => `'${word}'`)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`,
    )
  return value
}

/** A whole number of at least `least`; undefined where it is left out. */
export function whole(value: unknown, least: number, at: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(`${at}: Input should be a valid integer`)
  if (value < least) throw invalid(`${at}: Input should be greater than or equal to ${least}`)
  return value
}

/** A number in a range. */
export function within(value: unknown, least: number, most: number, at: string): void {
  if (value === undefined || value === null) return
  if (typeof value !== 'number' || value < least || value > most) throw invalid(`${at}: range: ${least}..${most}`)
}

/** The rule of structured outputs and strict tools: https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
export function closed(schema: unknown, at: string): void {
  if (!isRecord(schema)) return
  const { type } = schema
  if (type === 'object' && schema['additionalProperties'] !== false)
    throw invalid(`${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`)
  const bound = 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems'
    .split(' ')
    .find((key) => key in schema)
  if (bound !== undefined) throw invalid(`${at}: For '${String(type)}' type, property '${bound}' is not supported`)
  for (const key of ['properties', '$defs', 'definitions'])
    if (isRecord(schema[key])) for (const it of Object.values(schema[key])) closed(it, at)
  closed(schema['items'], at)
  if (Array.isArray(schema['anyOf'])) for (const it of schema['anyOf']) closed(it, at)
}

/** What a model of ours signs its thoughts with: bytes that only the same thought gives. */
export function signatureOf(thought: string): string {
  return Buffer.from(`mock-signature:${Buffer.from(thought).toString('hex').slice(0, 64)}`).toString('base64')
}

/** A thought that is hidden, and the same read back; undefined for what is not ours. */
export function hide(thought: string): string {
  return Buffer.from(`mock-hidden:${thought}`).toString('base64')
}
export function isHidden(data: unknown): boolean {
  return typeof data === 'string' && Buffer.from(data, 'base64').toString().startsWith('mock-hidden:')
}
