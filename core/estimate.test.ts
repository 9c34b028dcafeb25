import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { estimatePrompt, estimateTokens } from './estimate.ts'

/** Texts with their tokens as js-tiktoken counts them in o200k_base, and by how much the estimate may be off, percent. */
const counted: readonly (readonly [text: string, tokens: number, percent: number])[] = [
  ['What is the capital of France?', 7, 10],
  ['Hello!', 2, 10],
  [
    'Deadlines, each its own: connect, first token, between tokens, one attempt, the whole request. Each fires on a silent upstream.',
    29,
    10,
  ],
  [
    'function retry(attempts, now) {\n  for (let tried = 0; ; tried++) {\n    if (tried >= attempts) throw last\n    await sleep(backoff(tried + 1, random))\n  }\n}\n',
    49,
    10,
  ],
  [
    '{"id": "call_1", "name": "get_weather", "arguments": {"city": "Paris", "days": 3, "units": "celsius"}, "ok": true}',
    42,
    10,
  ],
  [
    '人工智能是计算机科学的一个分支，它试图了解智能的实质，并生产出一种新的能以人类智能相似的方式做出反应的智能机器。该领域的',
    43,
    25,
  ],
  [
    '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だ',
    54,
    25,
  ],
  [
    'Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Всё смешалось в доме Облонск',
    33,
    25,
  ],
  [
    'Jemand musste Josef K. verleumdet haben, denn ohne dass er etwas Böses getan hätte, wurde er eines Morgens verhaftet. Die Köchin der Frau Grubach, seiner Zimmer',
    42,
    25,
  ],
  [
    '인공지능은 인간의 학습능력, 추론능력, 지각능력을 인공적으로 구현하려는 컴퓨터 과학의 세부분야 중 하나이다.',
    38,
    25,
  ],
  ['الذكاء الاصطناعي هو سلوك وخصائص معينة تتسم بها البرامج الحاسوبية، تجعلها تحاكي القدرات الذهنية البشر', 32, 25],
  ['7919 15838 23757 31676 39595 47514 55433 63352', 23, 10],
]

for (const [text, tokens, percent] of counted)
  test(`estimate: ${text.slice(0, 30).replaceAll(/\s+/g, ' ')}… is near what a tokenizer counts`, () => {
    const estimated = estimateTokens(text)
    assert.ok(Math.abs(estimated / tokens - 1) * 100 <= percent, `${estimated}, not ${tokens}`)
  })

test('estimate: of a long text a part is looked at, and stands for the rest', () => {
  const sentence = counted[2]?.[0] ?? ''
  const once = estimateTokens(sentence)
  const often = estimateTokens(sentence.repeat(20_000))
  assert.ok(Math.abs(often / (once * 20_000) - 1) < 0.05, `${often}`)
})

test('estimate: any text is at least nothing and at most a token a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const tokens = estimateTokens(text)
      assert.ok(tokens >= 0 && tokens <= text.length)
    }),
  )
})

test('estimate: a prompt is its texts, whatever the dialect says them in', () => {
  const hello = 'Why is the sky blue, and why is the sea green?'
  const near = (body: unknown, tokens: number) => {
    const estimated = estimatePrompt(body)
    assert.ok(Math.abs(estimated - tokens) <= 3, `${estimated}, not ${tokens}: ${JSON.stringify(body).slice(0, 80)}`)
  }
  const tokens = estimateTokens(hello)
  near({ model: 'gpt-4o', messages: [{ role: 'user', content: hello }] }, tokens + 4)
  near({ model: 'm', max_tokens: 9, system: [{ type: 'text', text: hello }], messages: [] }, tokens)
  near({ contents: [{ role: 'user', parts: [{ text: hello }] }] }, tokens + 4)
  near({ input: [hello, hello] }, 2 * tokens)
  near({ input: [[1, 2, 3, 4]] }, 4)
  near(
    {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
    },
    1004,
  )
  near(
    { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'QUJD'.repeat(1600) } }] }] },
    105,
  )
  // Of tools the names of fields are read too.
  const tool = { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }
  assert.ok(estimatePrompt({ tools: [tool] }) > 10)
})

test('estimate: no body is a fault', () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => assert.ok(estimatePrompt(body) >= 0)))
})
