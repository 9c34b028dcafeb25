import type { Bytes } from '../bytes.ts'
import { fieldValue, scan } from '../json-fields.ts'
import type { Price, Rates } from '../price.ts'
import type { Operation } from '../surfaces/surface.ts'
import { Skipped } from './skip.ts'

/** What providers put around a prompt that is none of its bytes: templates, and what tells a model of tools (Anthropic's is the longest, some 800). */
const AROUND = 1024

/**
 * What a call costs at most, picodollars. A prompt of text has no more tokens than its body has bytes (each token of a byte-pair encoding is at least one), each
 * at the dearest rate that the price has for a prompt of any size, and an answer no more than the limit that goes out with it. Throws `Skipped`, `unpriced`
 * where a rate is missing, and `unbounded` where no limit is set.
 */
export function boundOf(body: Bytes, price: Price | undefined, operation: Operation): number {
  if (!price) throw new Skipped('unpriced')
  const all = [price.base, ...price.tiers.map(({ rates }) => rates)]
  const input = dearest(all, INPUT)
  const answers = operation !== 'embeddings'
  const output = answers ? dearest(all, OUTPUT) : 0
  return price.request + (body.length + AROUND) * input + (answers ? limitIn(body) * output : 0)
}

const INPUT = ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'audioInput', 'imageInput', 'videoInput'] as const
const OUTPUT = ['output', 'audioOutput', 'imageOutput'] as const

function dearest(all: readonly Rates[], kinds: readonly (keyof Rates)[]): number {
  const rates = all.flatMap((it) => kinds.map((kind) => it[kind])).filter((rate) => rate !== undefined)
  if (rates.length === 0) throw new Skipped('unpriced')
  return Math.max(...rates)
}

/** Where dialects have the limit of an answer's length: fields, or members of a field. */
const LIMITS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const
const NESTED = {
  generationConfig: ['maxOutputTokens', 'candidateCount'],
  generation_config: ['max_output_tokens', 'candidate_count'],
  inferenceConfig: ['maxTokens', ''],
} as const
/** Names of fields that have it, in it or as it. */
export const LIMIT_FIELDS: ReadonlySet<string> = new Set([...LIMITS, ...Object.keys(NESTED)])
const ANSWERS = ['n', 'best_of'] as const

/** How many tokens all answers to a body may have together, at most. Throws `Skipped` where it sets no limit. */
function limitIn(body: Bytes): number {
  const fields = scan(body)
  const found: number[] = []
  let answers = 1
  const read = (value: unknown, to: (value: number) => void) => {
    if (typeof value === 'number') to(value)
  }
  for (const name of LIMITS) read(fieldValue(body, fields, name), (value) => found.push(value))
  for (const name of ANSWERS) read(fieldValue(body, fields, name), (value) => (answers = Math.max(answers, value)))
  for (const [name, [limit, count]] of Object.entries(NESTED)) {
    const inside = fieldValue(body, fields, name)
    if (typeof inside !== 'object' || inside === null) continue
    const members = new Map<string, unknown>(Object.entries(inside))
    read(members.get(limit), (value) => found.push(value))
    read(members.get(count), (value) => (answers = Math.max(answers, value)))
  }
  if (found.length === 0) throw new Skipped('unbounded')
  return Math.max(...found) * answers
}
