import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Question } from '../question.ts'
import { ANY_CALLER, tierOf } from '../signals/caller.ts'
import type { Caller } from '../signals/caller.ts'
import type { Match } from '../target.ts'
import { compileMatches, misses } from './index.ts'
import { DAYS } from './schedule.ts'

const caller: Caller = { ...ANY_CALLER, tier: { header: 'x-tier', default: 'free', values: ['free', 'pro'] } }
const match = (part: Partial<Match>): Match => ({ headers: [], ...part })
const says = (word: string, where: 'LastUser' | 'Conversation' = 'LastUser'): Match['text'] => ({
  in: where,
  said: `contain ${word}`,
  test: ({ lower }) => lower.includes(word),
})

interface Sent {
  readonly content?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly wall?: number
  readonly more?: object
}

function ask({ content = 'Hello', headers = {}, wall = 0, more = {} }: Sent = {}): Question {
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content },
  ]
  const body = JSON.stringify({ model: 'm', messages, ...more })
  return new Question({ model: '', path: '/v1/chat/completions', header: (name) => headers[name], body }, wall)
}

test('match: a tier whose value is no name is the default, whether or not the tiers are listed', () => {
  const tiers = ({ values, is }: { values?: readonly string[]; is: string }) =>
    tierOf(() => is, { ...ANY_CALLER, tier: { header: 'x', default: 'free', values } })
  assert.deepEqual(
    [tiers({ is: 'gold' }), tiers({ is: 'a b' }), tiers({ is: '' }), tiers({ is: 'x'.repeat(64) })],
    ['gold', 'free', 'free', 'free'],
  )
  assert.deepEqual([tiers({ is: 'gold', values: ['pro'] }), tiers({ is: 'pro', values: ['pro'] })], ['free', 'pro'])
})

const photo = [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]
const weather = { type: 'function', function: { name: 'weather' } }
const schema = { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }

/** A match, a request that meets it, one that does not, and what is said of that. */
const cases: readonly (readonly [part: Partial<Match>, meets: Sent, fails: Sent, why: string])[] = [
  [{ tier: ['pro'] }, { headers: { 'x-tier': 'pro' } }, {}, 'the tier is free, not pro'],
  [
    { tier: ['free'] },
    { headers: { 'x-tier': 'gold' } },
    { headers: { 'x-tier': 'pro' } },
    'the tier is pro, not free',
  ],
  [{ task: ['math'] }, { content: 'Solve 1 + 1.' }, {}, 'the task is chat, not math'],
  [{ task: ['x', 'y'] }, { headers: { 'x-tradewind-task': 'y' } }, {}, 'the task is chat, not x or y'],
  [{ input: ['Image'] }, { content: photo }, {}, 'the input is Text, without Image'],
  [{ input: ['Code', 'Audio'] }, { content: '```\nx\n```' }, {}, 'the input is Text, without Code or Audio'],
  [{ tokens: { min: 50 } }, { content: 'word '.repeat(60) }, {}, 'the prompt is about 13 tokens, less than 50'],
  [{ tokens: { max: 50 } }, {}, { content: 'word '.repeat(60) }, 'the prompt is about 72 tokens, more than 50'],
  [
    { turns: { min: 1 } },
    {},
    { more: { messages: [{ role: 'system', content: 'x' }] } },
    'the user has spoken 0 times, less than 1',
  ],
  [
    { turns: { max: 0 } },
    { more: { messages: [{ role: 'system', content: 'x' }] } },
    {},
    'the user has spoken once, more than 0',
  ],
  [{ text: says('knee') }, { content: 'My KNEE' }, {}, 'the text of the last user turn does not contain knee'],
  [
    { text: says('kind', 'Conversation') },
    {},
    { more: { messages: [{ role: 'user', content: 'x' }] } },
    'the conversation does not contain kind',
  ],
  [{ tools: true }, { more: { tools: [weather] } }, {}, 'the request has no tools'],
  [{ tools: false }, {}, { more: { tools: [weather] } }, 'the request has tools'],
  [{ jsonSchema: true }, { more: schema }, {}, 'no JSON schema is asked for'],
  [{ jsonSchema: false }, {}, { more: schema }, 'a JSON schema is asked for'],
  [{ language: ['Cyrillic', 'Han'] }, { content: 'Привет' }, {}, 'the text is written in Latin, not Cyrillic or Han'],
  [{ not: match({ tools: true }) }, {}, { more: { tools: [weather] } }, 'it is what the match excludes (`not`)'],
]
for (const [part, meets, fails, why] of cases)
  test(`match: ${Object.keys(part).join()}: ${why}`, () => {
    const test = compileMatches([match(part)], caller)
    assert.equal(test(ask(meets)), true)
    assert.equal(misses(match(part), ask(meets), caller), '')
    assert.equal(test(ask(fails)), false)
    assert.equal(misses(match(part), ask(fails), caller), why)
  })

test('match: where the content is not known, no condition on it holds, but a task that a header says does', () => {
  const silent = (headers: Readonly<Record<string, string>> = {}) =>
    new Question({ model: 'm', path: '/v1/chat/completions', header: (name) => headers[name] }, 0)
  for (const [part] of cases) {
    if ('not' in part || 'tier' in part) continue
    assert.equal(compileMatches([match(part)], caller)(silent()), false)
    assert.match(misses(match(part), silent(), caller), /its content is not known/)
  }
  assert.equal(compileMatches([match({ task: ['legal'] })])(silent({ 'x-tradewind-task': 'legal' })), true)
})

test('match: the content of a request that another condition keeps away is not read', () => {
  class Closed extends Question {
    override get json() {
      return assert.fail('it was read')
    }
  }
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] })
  const asked = new Closed({ model: '', path: '/v1/chat/completions', header: () => undefined, body }, 0)
  const both = match({ model: { value: 'other', prefix: false }, text: says('hello'), input: ['Text'] })
  assert.equal(
    compileMatches([both, match({ headers: [{ name: 'x', type: 'Present', value: '' }], task: ['chat'] })])(asked),
    false,
  )
})

const window = (part: Partial<NonNullable<Match['schedule']>>): Match =>
  match({ schedule: { timeZone: 'UTC', days: DAYS, from: '00:00', to: '24:00', ...part } })
const night = window({ from: '22:00', to: '06:00', days: ['Fri'] })
const office = window({
  timeZone: 'Europe/Berlin',
  from: '09:00',
  to: '17:00',
  days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'],
})

/** 2026-11-20 is a Friday. */
const times: readonly (readonly [what: string, match: Match, at: string, expected: boolean])[] = [
  ['always', window({}), '2026-11-21T12:00:00Z', true],
  ['the first minute of a window', window({ from: '08:30', to: '09:00' }), '2026-11-20T08:30:00Z', true],
  ['the last millisecond of it', window({ from: '08:30', to: '09:00' }), '2026-11-20T08:59:59.999Z', true],
  ['the minute at which it has ended', window({ from: '08:30', to: '09:00' }), '2026-11-20T09:00:00Z', false],
  ['before midnight, on its day', night, '2026-11-20T23:00:00Z', true],
  ['after midnight, on the day after', night, '2026-11-21T05:59:00Z', true],
  ['after its end', night, '2026-11-21T06:00:00Z', false],
  ['after midnight on its day, which belongs to the night before', night, '2026-11-20T05:00:00Z', false],
  ['before midnight, on the day after', night, '2026-11-21T23:00:00Z', false],
  [
    'the same time twice is a whole day',
    window({ from: '06:00', to: '06:00', days: ['Fri'] }),
    '2026-11-21T05:00:00Z',
    true,
  ],
  ['in winter nine is eight in UTC', office, '2026-11-20T08:00:00Z', true],
  ['in summer nine is seven in UTC', office, '2026-07-17T07:00:00Z', true],
  ['in winter seven in UTC is too early', office, '2026-11-20T07:59:00Z', false],
  ['the weekend', office, '2026-11-21T10:00:00Z', false],
  ['another day over there', window({ timeZone: 'Pacific/Auckland', days: ['Sat'] }), '2026-11-20T12:00:00Z', true],
]
for (const [what, match, at, expected] of times)
  test(`match: schedule: ${what}`, () => {
    const test = compileMatches([match])
    assert.equal(test(ask({ wall: Date.parse(at) })), expected)
    assert.equal(test(ask({ wall: Date.parse(at) })), expected, 'a second time in the same minute')
    assert.equal(misses(match, ask({ wall: Date.parse(at) })) === '', expected)
  })

test('match: schedule: why not, with the time over there', () => {
  assert.equal(
    misses(office, ask({ wall: Date.parse('2026-11-21T10:00:00Z') })),
    'Sat 11:00 in Europe/Berlin is not within Mon, Tue, Wed, Thu, Fri 09:00–17:00',
  )
})

/** The textbook's rule router looks at length and question marks first, and sends it to the small model. */
test('match: "Explain X" is found by its words, however short it is and without a question mark', () => {
  const rules = [
    compileMatches([match({ text: says('explain') }), match({ text: says('prove') })]),
    compileMatches([match({ tokens: { max: 40 } })]),
  ]
  const first = (content: string) => rules.findIndex((test) => test(ask({ content })))
  assert.equal(first('Explain quantum entanglement'), 0)
  assert.equal(first('Hello'), 1)
})

const bound = fc.record({ min: fc.nat(60), max: fc.nat(60) }, { requiredKeys: [] })
const conditions = fc.record<Omit<Match, 'not'>>(
  {
    headers: fc.constantFrom<Match['headers'][]>([], [{ name: 'x-tier', type: 'Present', value: '' }]),
    tier: fc.subarray(['free', 'pro'], { minLength: 1 }),
    task: fc.subarray(['chat', 'math', 'code', 'billing'], { minLength: 1 }),
    input: fc.subarray<'Text' | 'Image' | 'Code'>(['Text', 'Image', 'Code'], { minLength: 1 }),
    language: fc.subarray<'Latin' | 'Cyrillic' | 'Other'>(['Latin', 'Cyrillic', 'Other'], { minLength: 1 }),
    tokens: bound,
    turns: fc.record({ min: fc.nat(3), max: fc.nat(3) }, { requiredKeys: [] }),
    text: fc.constantFrom(says('solve'), says('kind', 'Conversation')),
    tools: fc.boolean(),
    jsonSchema: fc.boolean(),
    schedule: fc.record({
      timeZone: fc.constantFrom('UTC', 'Asia/Tokyo', 'America/New_York'),
      days: fc.subarray([...DAYS], { minLength: 1 }),
      from: fc.constantFrom('00:00', '09:00', '22:00'),
      to: fc.constantFrom('06:00', '17:00', '24:00'),
    }),
  },
  { requiredKeys: ['headers'] },
)
const requests = fc.record<Sent>(
  {
    content: fc.constantFrom<unknown>('Hello', 'Solve 1 + 1.', 'Что это?', '```\nx\n```', photo, 'word '.repeat(50)),
    headers: fc.constantFrom<Readonly<Record<string, string>>[]>(
      {},
      { 'x-tier': 'pro' },
      { 'x-tradewind-task': 'billing' },
    ),
    wall: fc.nat(4_000_000_000_000),
    more: fc.constantFrom({}, schema, { tools: [weather] }),
  },
  { requiredKeys: [] },
)

test('match: for any match and request, there is a reason why not just where it does not match', () => {
  const property = fc.property(
    fc.array(conditions, { minLength: 1, maxLength: 3 }),
    fc.option(conditions),
    requests,
    (matches, not, sent) => {
      const [asked, again] = [ask(sent), ask(sent)]
      const all = matches.map((it): Match => (not ? { ...it, not } : it))
      const each = all.map((it) => compileMatches([it], caller)(asked))
      assert.equal(compileMatches(all, caller)(again), each.includes(true))
      for (const [i, it] of all.entries()) {
        assert.equal(misses(it, asked, caller) === '', each[i])
        const { not: excluded, ...bare } = it
        const kept = !excluded || !compileMatches([excluded], caller)(asked)
        assert.equal(each[i], compileMatches([bare], caller)(asked) && kept)
      }
    },
  )
  fc.assert(property, { numRuns: 1000 })
})
