import type { CompiledMatch } from '../../api/compiled.ts'
import { compileMatches } from '../../core/match/index.ts'
import type { Test } from '../../core/match/match.ts'
import { Question } from '../../core/question.ts'
import { seeded } from '../../core/learning/random.ts'
import { callerOf, matchOf } from '../../sidecar/matches.ts'
import { now } from '../wire.ts'

const ROUNDS = 5
/** Bytes of the request, and how often it is asked in a round. */
const SIZES: readonly (readonly [bytes: number, times: number])[] = [
  [512, 4000],
  [4096, 4000],
  [64 * 1024, 400],
  [1024 * 1024, 50],
]

const match = (part: Partial<CompiledMatch>): CompiledMatch => ({ headers: [], ...part })
const text = (pattern: string, where: 'LastUser' | 'Conversation'): CompiledMatch =>
  match({ text: { in: where, pattern, ignoreCase: true } })
const caller = callerOf({
  tasks: [
    { name: 'legal', patterns: ['\\bliab\\w+\\b', '\\b(court|judge)\\b'] },
    { name: 'medical', patterns: ['\\b(diagnos|dosage)\\w*'] },
  ],
})

/** Conditions that no request here meets, so that all of them are tried. */
const CONDITIONS: Readonly<Record<string, readonly CompiledMatch[]>> = {
  'tier, headers, schedule': [
    match({ tier: ['enterprise'] }),
    match({ headers: [{ name: 'x-quality', type: 'Exact', value: 'premium' }] }),
    match({ schedule: { timeZone: 'Europe/Berlin', days: ['Mon'], from: '02:00', to: '02:01' } }),
  ],
  'tools, JSON schema, input': [
    match({ tools: true }),
    match({ jsonSchema: true }),
    match({ input: ['Image', 'Code'] }),
  ],
  tokens: [match({ tokens: { max: 1 } })],
  'one pattern': [text('\\bcontract(s|ual)?\\b', 'LastUser')],
  task: [match({ task: ['billing'] })],
  'all of them': [],
}

/** How long it takes to look at a request: Markdown. No text of anybody's is in it; words are drawn by a seed. */
export function signals(): string {
  const all = Object.values(CONDITIONS).flat()
  const rows = Object.entries(CONDITIONS).map(([name, matches]) => {
    const compiled = (matches.length > 0 ? matches : all).map((it, i) => matchOf(it, `/${i}`))
    const test = compileMatches(compiled, caller)
    return `| ${name} | ${SIZES.map(([bytes, times]) => figure(test, bytes, times)).join(' | ')} |`
  })
  return [
    `Time to find that a request meets none of some conditions, µs, from its bytes on: median (99th percentile), each the median of ${ROUNDS} rounds.`,
    '',
    `| conditions | ${SIZES.map(([bytes]) => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`)).join(' | ')} |`,
    `|---|${SIZES.map(() => '---|').join('')}`,
    ...rows,
  ].join('\n')
}

function figure(test: Test, bytes: number, times: number): string {
  const body = bodyOf(bytes)
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const taken: number[] = []
    for (let i = 0; i < times; i++) {
      const told = { model: '', path: '/v1/chat/completions', header: () => undefined, body }
      const question = new Question(told, i)
      const began = now()
      if (test(question)) throw new Error('a condition is met that is to fail')
      taken.push((now() - began) * 1000)
    }
    taken.sort((a, b) => a - b)
    return [at(taken, 0.5), at(taken, 0.99)] as const
  }).slice(1) // the first is for the compiler
  const median = (index: 0 | 1) =>
    at(
      rounds.map((it) => it[index]).sort((a, b) => a - b),
      0.5,
    )
  return `${median(0).toFixed(0)} (${median(1).toFixed(0)})`
}

const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

/** A chat of one system prompt and one question, about so many bytes. */
function bodyOf(bytes: number): string {
  const random = seeded(7)
  let content = ''
  while (content.length < bytes - 150) {
    const length = 2 + Math.floor(random() * 9)
    for (let i = 0; i < length; i++) content += String.fromCharCode(97 + Math.floor(random() * 26))
    content += random() < 0.1 ? '. ' : ' '
  }
  const messages = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content },
  ]
  return JSON.stringify({ model: 'chat', messages })
}
