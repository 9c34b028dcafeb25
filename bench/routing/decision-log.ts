import { Bytes } from '../../core/bytes.ts'
import type { Decision } from '../../core/decide/decision.ts'
import { decisionLine } from '../../core/decisions/line.ts'
import { recordOf } from '../../core/decisions/record.ts'
import { Exchange } from '../../core/exchange.ts'
import { readFields } from '../../core/read-body.ts'
import { seeded } from '../../core/learning/random.ts'
import { fixedPaths } from '../../core/surfaces/index.ts'
import { newFacts, readDoor } from '../../sidecar/door.ts'
import { now } from '../wire.ts'

const ROUNDS = 5
/** Bytes of the prompt, and how often it is written down in a round. */
const SIZES: readonly (readonly [bytes: number, times: number])[] = [
  [300, 4000],
  [4096, 4000],
  [64 * 1024, 400],
]
const CANDIDATES = [2, 4, 8] as const
const WORDS = [
  'where',
  'is',
  'the',
  'parcel',
  'that',
  'I',
  'ordered',
  'on',
  'Monday',
  'of',
  'last',
  'week',
  '17',
  'and',
]

/** What it takes to write a decision down: Markdown. No text of anybody's is in it; words are drawn by a seed. */
export function decisionLog(): string {
  const random = seeded(1)
  const prompt = (bytes: number): string => {
    let text = ''
    while (text.length < bytes) text += `${WORDS[Math.floor(random() * WORDS.length)] ?? ''} `
    return text.slice(0, bytes)
  }
  const rows = CANDIDATES.map((candidates) => {
    const cells = SIZES.map(([bytes, times]) => {
      const text = prompt(bytes)
      const read = median(ROUNDS, () =>
        each(
          times,
          () => exchange(text, candidates),
          (it) => recordOf(it, undefined, true),
        ),
      )
      const line = median(ROUNDS, () =>
        each(times, () => recordOf(exchange(text, candidates), undefined, true), decisionLine),
      )
      return `${read.toFixed(1)} + ${line.toFixed(1)}`
    })
    const { length } = decisionLine(recordOf(exchange('Hello', candidates), undefined, true))
    return `| ${candidates} | ${length} | ${cells.join(' | ')} |`
  })
  return [
    `µs to read what a line says of a request besides what the decision has looked at (its task and its tokens), and to put the line together: the median of ${ROUNDS} rounds. Writing it is done aside.`,
    '',
    `| candidates | bytes of a line | ${SIZES.map(([bytes]) => `prompt of ${bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`}`).join(' | ')} |`,
    `|---|---|${SIZES.map(() => '---|').join('')}`,
    ...rows,
  ].join('\n')
}

function exchange(text: string, candidates: number): Exchange {
  const place = fixedPaths.get('/v1/chat/completions')
  if (!place) throw new Error('chats have a path')
  const body = new Bytes([Buffer.from(JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: text }] }))])
  const incoming = { ...place, method: 'POST', query: '', headers: [], body }
  const made = new Exchange(incoming, newFacts(incoming, readDoor([]), 0, 1_800_000_000_000))
  made.fields = readFields(made)
  Object.assign(made.facts, {
    route: 'ai/chat',
    rule: 'all',
    requestedModel: 'chat',
    reason: 'least_cost',
    decision: decision(candidates),
  })
  // What weighing it has looked at by then.
  if (made.signals.task === '' || made.signals.tokens === 0) throw new Error('a chat has a task and tokens')
  return made
}

function decision(candidates: number): Decision {
  const targets = Array.from({ length: candidates }, (_, rank) => ({
    target: `ai/models model-${rank}`,
    endpoint: 'ai/models',
    model: `model-${rank}`,
    priority: 0,
    rank,
    weight: 1,
    quality: 0.81234 + rank / 100,
    cost: 123_456_789 * (rank + 1),
    latency: 412.123 * (rank + 1),
  }))
  return {
    strategy: 'LeastCost',
    reason: 'least_cost',
    task: 'chat',
    adjusted: [0],
    first: [],
    terms: { quality: 0, lambda: 1, mu: 0, slo: 0 },
    floor: 0.8,
    targets,
    order: targets.map(({ target }) => target),
  }
}

/** µs of one, of so many things that were made beforehand. */
function each<T>(times: number, make: () => T, use: (it: T) => unknown): number {
  const all = Array.from({ length: times }, make)
  const began = now()
  for (const it of all) use(it)
  return ((now() - began) * 1000) / times
}

function median(rounds: number, of: () => number): number {
  of()
  const all = Array.from({ length: rounds }, of).sort((a, b) => a - b)
  return all[Math.floor(rounds / 2)] ?? Number.NaN
}
