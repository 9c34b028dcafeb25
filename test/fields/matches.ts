import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { DAYS } from '../../core/match/schedule.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, sidecar, to } from './setting.ts'
import type { Answered, Asking } from './setting.ts'

/** For a field of a match: matches with it, what is asked, and whether that is met. */
type Cases = readonly (readonly [match: object, asking: Asking, holds: boolean])[]

const header = (rest: object) => ({ headers: [{ name: 'x-tier', ...rest }] })
const carrying = (value: string): Asking => ({ headers: { 'x-tier': value } })
const saying = (content: unknown, before: readonly object[] = []): Asking => ({
  fields: { messages: [...before, { role: 'user', content }] },
})
const tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }
const schema = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } }
const knee = saying('My KNEE hurts')

const hour = 3_600_000
/** `HH:MM` in UTC, so many hours from now. */
const clock = (hours: number) => new Date(Date.now() + hours * hour).toISOString().slice(11, 16)
/** The day of the week so many days from now. */
const day = (days: number) => DAYS[(new Date(Date.now() + days * 24 * hour).getUTCDay() + 6) % 7]
const around = { from: clock(-2), to: clock(2) }
const later = { from: clock(2), to: clock(4) }
const scheduled = (schedule: object) => ({ schedule })

const cases: Readonly<Record<string, Cases>> = {
  model: [
    [{ model: 'gpt-*' }, { model: 'gpt-4o' }, true],
    [{ model: 'gpt' }, { model: 'gpt-4o' }, false],
  ],
  'headers[].name': [
    [header({ value: 'gold' }), carrying('gold'), true],
    [{ headers: [{ name: 'x-team', value: 'gold' }] }, carrying('gold'), false],
  ],
  'headers[].type': [
    [header({ value: 'gol' }), carrying('gold'), false],
    [header({ type: 'Prefix', value: 'gol' }), carrying('gold'), true],
    [header({ type: 'Present' }), carrying('anything'), true],
    [header({ type: 'Present' }), {}, false],
  ],
  'headers[].value': [
    [header({ value: 'gold' }), carrying('gold'), true],
    [header({ value: 'silver' }), carrying('gold'), false],
  ],
  'path.type': [
    [{ path: { value: '/v1/chat' } }, {}, true],
    [{ path: { type: 'Exact', value: '/v1/chat' } }, {}, false],
  ],
  'path.value': [
    [{ path: { value: '/v1/chat/completions' } }, {}, true],
    [{ path: { value: '/v1/embeddings' } }, {}, false],
  ],
  'tier[]': [
    [{ tier: ['pro', 'gold'] }, carrying('gold'), true],
    [{ tier: ['pro'] }, carrying('gold'), false],
    [{ tier: ['free'] }, {}, true],
  ],
  'task[]': [
    [{ task: ['math', 'code'] }, saying('Write a Python function that adds two numbers.'), true],
    [{ task: ['math'] }, saying('Write a Python function that adds two numbers.'), false],
    [{ task: ['billing'] }, { headers: { 'x-tradewind-task': 'billing' } }, true],
  ],
  'input[]': [
    [{ input: ['Image'] }, saying([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]), true],
    [{ input: ['Image'] }, saying('a.png'), false],
    [{ input: ['Audio', 'Code'] }, saying('```\nprint(1)\n```'), true],
  ],
  'tokens.min': [
    [{ tokens: { min: 100 } }, saying('word '.repeat(200)), true],
    [{ tokens: { min: 100 } }, saying('word '.repeat(50)), false],
  ],
  'tokens.max': [
    [{ tokens: { max: 100 } }, saying('word '.repeat(50)), true],
    [{ tokens: { max: 100 } }, saying('word '.repeat(200)), false],
  ],
  'turns.min': [
    [{ turns: { min: 2 } }, saying('And now?', [{ role: 'user', content: 'Hello' }]), true],
    [{ turns: { min: 2 } }, {}, false],
  ],
  'turns.max': [
    [{ turns: { max: 1 } }, {}, true],
    [{ turns: { max: 1 } }, saying('And now?', [{ role: 'user', content: 'Hello' }]), false],
  ],
  'text.contains[]': [
    [{ text: { contains: ['elbow', 'knee'] } }, knee, true],
    [{ text: { contains: ['elbow'] } }, knee, false],
  ],
  'text.pattern': [
    [{ text: { pattern: '^my k\\w+' } }, knee, true],
    [{ text: { pattern: '^knee' } }, knee, false],
  ],
  'text.in': [
    [{ text: { contains: ['doctor'] } }, saying('Hello', [{ role: 'system', content: 'You are a doctor.' }]), false],
    [
      { text: { contains: ['doctor'], in: 'Conversation' } },
      saying('Hello', [{ role: 'system', content: 'You are a doctor.' }]),
      true,
    ],
  ],
  'text.ignoreCase': [
    [{ text: { contains: ['knee'], ignoreCase: false } }, knee, false],
    [{ text: { contains: ['KNEE'], ignoreCase: false } }, knee, true],
    [{ text: { pattern: 'knee', ignoreCase: false } }, knee, false],
    [{ text: { pattern: 'knee' } }, knee, true],
  ],
  tools: [
    [{ tools: true }, { fields: { tools: [tool] } }, true],
    [{ tools: true }, {}, false],
    [{ tools: false }, {}, true],
  ],
  jsonSchema: [
    [{ jsonSchema: true }, { fields: { response_format: schema } }, true],
    [{ jsonSchema: true }, {}, false],
    [{ jsonSchema: false }, {}, true],
  ],
  'language[]': [
    [{ language: ['Han', 'Cyrillic'] }, saying('Что это?'), true],
    [{ language: ['Han', 'Cyrillic'] }, saying('What is it?'), false],
  ],
  'schedule.timeZone': [
    [scheduled({ ...around, timeZone: 'UTC' }), {}, true],
    // Nine hours ahead, without a summer time.
    [scheduled({ ...around, timeZone: 'Asia/Tokyo' }), {}, false],
  ],
  'schedule.days[]': [
    // The window around now may have begun yesterday.
    [scheduled({ ...around, days: [day(0), day(-1)] }), {}, true],
    [scheduled({ ...around, days: [day(3)] }), {}, false],
  ],
  'schedule.from': [
    [scheduled({ from: around.from, to: clock(3) }), {}, true],
    [scheduled({ from: later.from, to: clock(3) }), {}, false],
  ],
  'schedule.to': [
    [scheduled({ from: clock(-3), to: around.to }), {}, true],
    [scheduled({ from: clock(-3), to: around.from }), {}, false],
  ],
}

/** Where a match may stand: what it makes of a route for any model with endpoints `a` and `b`, and what shows that it is met. */
interface Place {
  readonly path: string
  readonly rules: (match: object) => readonly object[]
  readonly met: (answered: Answered) => boolean
}
const both = [to('a'), to('b', { priority: 1 })]
const places: readonly Place[] = [
  {
    path: 'matches[]',
    rules: (match) => [{ name: 'first', matches: [match], targets: [to('a')] }, { targets: [to('b')] }],
    met: ({ rule }) => rule === 'first',
  },
  {
    path: 'matches[].not',
    rules: (not) => [{ name: 'first', matches: [{ not }], targets: [to('a')] }, { targets: [to('b')] }],
    met: ({ rule }) => rule === '1',
  },
  {
    path: 'adjust[].when',
    rules: (when) => [{ targets: both, adjust: [{ when, deny: [{ name: 'a' }] }] }],
    met: ({ endpoint }) => endpoint === 'b',
  },
  {
    path: 'adjust[].when.not',
    rules: (not) => [{ targets: both, adjust: [{ when: { not }, deny: [{ name: 'a' }] }] }],
    met: ({ endpoint }) => endpoint === 'a',
  },
]

/** Whether each request is answered as the place of its match says. */
async function holds(t: TestContext, { rules, met }: Place, cases: Cases): Promise<void> {
  const [a, b] = await upstreams(t, {}, {})
  const caller = { tier: { header: 'x-tier', default: 'free' } }
  const having = (match: object) => ({
    endpoints: { a: at(a.url), b: at(b.url) },
    routes: { chat: { models: ['*'], caller, rules: rules(match) } },
  })
  const { ask, change } = await sidecar(t, having({ model: 'x' }))
  for (const [match, asking, expected] of cases) {
    change(having(match))
    const answered = await ask(asking)
    assert.equal(answered.status, 200, answered.text)
    assert.equal(met(answered), expected, `${JSON.stringify(match)} ${JSON.stringify(asking)}`)
  }
}

export const matches: Coverage = Object.fromEntries(
  places.flatMap((place) =>
    Object.entries(cases).map(([field, each]) => [
      `ModelRoute spec.rules[].${place.path}.${field}`,
      (t: TestContext) => holds(t, place, each),
    ]),
  ),
)
