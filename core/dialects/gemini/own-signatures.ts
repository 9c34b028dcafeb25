import type { Bytes } from '../../bytes.ts'
import { fieldValue } from '../../json-fields.ts'
import type { Edit, RequestFields } from '../../json-fields.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import { traitsOf } from './model-traits.ts'
import { ESCAPE, foreignPrefixes, readSignature } from './signature.ts'

const foreign = foreignPrefixes.map((prefix) => Buffer.from(prefix))
/** The ends of `functionCall` and `function_call`: what begins with a rare letter is found a hundred times faster than what begins with a quote. */
const calls = ['Call"', '_call"'].map((end) => Buffer.from(end))

/**
 * The edit of a body whose conversation has answers of other providers, said in this dialect: what they signed is taken out, since the API
 * refuses a signature that is not its own, and calls that nobody signed get the escape where the model asks for a signature. None where
 * there is nothing of the kind, which is seen without a parse where there are no calls.
 */
export function ownSignatures(body: Bytes, { fields }: RequestFields, model: string): readonly Edit[] {
  const { signs } = traitsOf(model)
  const has = (words: readonly Buffer[]): boolean => words.some((word) => body.find(word, 0) >= 0)
  if (!has(foreign) && !(signs && has(calls))) return []
  const contents = fieldValue(body, fields, 'contents')
  if (!Array.isArray(contents)) return []
  const kept = contents.flatMap((content: unknown) => own(content, signs))
  const changed = kept.length !== contents.length || kept.some((content, i) => content !== contents[i])
  return changed ? [{ name: 'contents', json: JSON.stringify(kept) }] : []
}

/** A content as Google takes it, itself where it is that already; none where nothing of it is left. */
function own(content: unknown, signs: boolean): readonly unknown[] {
  const given = record(content)
  const parts = given?.['parts']
  if (given?.['role'] !== 'model' || !Array.isArray(parts)) return [content]
  const kept = parts.map(unsigned).filter((part) => part !== undefined)
  const at = signs ? kept.findIndex((part) => callOf(part) !== undefined) : -1
  const first = record(kept[at])
  if (first && signatureOf(first) === undefined) kept[at] = { ...first, thoughtSignature: ESCAPE }
  if (kept.length === parts.length && kept.every((part, i) => part === parts[i])) return [content]
  return kept.length === 0 ? [] : [{ ...given, parts: kept }]
}

/** A part without what another provider signed; undefined where it holds nothing besides. */
function unsigned(item: unknown): unknown {
  const part = record(item)
  const text = part && signatureOf(part)
  const signed = text === undefined ? undefined : readSignature(text)
  if (!part || !signed || signed.artefact.format === 'gemini') return item
  const { thoughtSignature: _, thought_signature: __, ...rest } = part
  const empty = rest['text'] === '' && callOf(rest) === undefined
  return signed.hidden || empty ? undefined : rest
}

function signatureOf(part: Json): string | undefined {
  const value = part['thoughtSignature'] ?? part['thought_signature']
  return typeof value === 'string' && value !== '' ? value : undefined
}

function callOf(item: unknown): unknown {
  const part = record(item)
  return part?.['functionCall'] ?? part?.['function_call']
}
