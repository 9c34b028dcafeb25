import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Malformed } from '../dialects/dialect.ts'
import { ReadStream } from '../read-stream.ts'
import { speech, transcriptions } from './audio.ts'
import { imageGenerations } from './images.ts'
import { infer } from './infer.ts'
import { moderations } from './moderations.ts'
import { realtimeOf } from './realtime.ts'
import type { Watch } from './surface.ts'

const sse = (event: object, name?: string) => `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(event)}\n\n`
const picture = { type: 'image_generation.completed', b64_json: 'aGk=', usage: { input_tokens: 2, output_tokens: 5 } }
const streams: Readonly<Record<string, readonly [watch: Watch, choices: number, text: string]>> = {
  images: [
    imageGenerations.watch,
    2,
    `: hello\n\n${sse({ type: 'image_generation.partial_image', b64_json: 'aGk=' }, 'image_generation.partial_image')}${sse(picture, picture.type)}${sse(picture, picture.type)}`,
  ],
  speech: [
    speech.watch,
    1,
    `${sse({ type: 'speech.audio.delta', audio: 'aGk=' })}${sse({ type: 'speech.audio.done', usage: { input_tokens: 2, output_tokens: 5 } })}`,
  ],
  transcriptions: [
    transcriptions.watch,
    1,
    // What was said may read like what ends a stream, or like an error.
    `${sse({ type: 'transcript.text.delta', delta: '"error" "transcript.text.done" \u00e9' })}${sse({ type: 'transcript.text.done', text: 'x', usage: { type: 'tokens', input_tokens: 2, output_tokens: 5 } })}data: [DONE]\n\n`,
  ],
}

function run([watch, choices, text]: readonly [Watch, number, string], cuts: readonly number[]) {
  const stream = new ReadStream({ framing: watch.framing, reader: watch.reader(), choices })
  const bytes = Buffer.from(text)
  const at = [0, ...cuts, bytes.length]
  const out = at.slice(1).map((end, i) => stream.push(bytes.subarray(at[i], end)))
  out.push(stream.end())
  const { complete, error, malformed, usage } = stream
  return { out: Buffer.concat(out).toString(), complete, error, malformed, usage }
}

for (const [name, stream] of Object.entries(streams)) {
  test(`media: a stream of ${name} passes untouched wherever it is cut, and its end and usage are known`, () => {
    const whole = run(stream, [])
    assert.equal(whole.out, stream[2])
    assert.deepEqual([whole.complete, whole.error, whole.malformed], [true, undefined, false])
    assert.equal(whole.usage?.output, name === 'images' ? 10 : 5)
    for (let at = 1; at < Buffer.byteLength(stream[2]); at++) assert.deepEqual(run(stream, [at]), whole)
    const every = Array.from({ length: Buffer.byteLength(stream[2]) - 1 }, (_, i) => i + 1)
    assert.deepEqual(run(stream, every), whole)
  })

  test(`media: a stream of ${name} that lacks its last event is not whole`, () => {
    const text = stream[2].replace(/data: \[DONE\]\n\n$/, '')
    const short = text.slice(0, text.trimEnd().lastIndexOf('\n\n') + 2)
    assert.equal(run([stream[0], stream[1], short], []).complete, false)
  })

  test(`media: an error in a stream of ${name} is withheld, with all that follows`, () => {
    const error = sse({ error: { message: 'no' } })
    const { out, error: found, complete } = run([stream[0], stream[1], error + stream[2]], [])
    assert.deepEqual([out, found, complete], ['', '{"error":{"message":"no"}}', false])
    const named = run([stream[0], stream[1], `event: error\ndata: {"message":"no"}\n\n`], [])
    assert.equal(named.error, '{"message":"no"}')
    assert.equal(run([stream[0], stream[1], 'data: <html>\n\n'], []).malformed, true)
  })
}

test('media: a whole answer has what makes it one', () => {
  for (const [watch, good, empty] of [
    [imageGenerations.watch, { data: [{ b64_json: 'x' }] }, { data: [] }],
    [transcriptions.watch, { text: '' }, { usage: {} }],
    [moderations.watch, { results: [{}] }, { results: [] }],
  ] as const) {
    assert.deepEqual(watch.read(good), [{ type: 'finish', choice: 0, reason: 'stop' }])
    assert.throws(() => watch.read(empty), Malformed)
    assert.deepEqual(watch.read({ error: { message: 'x' } }), [{ type: 'error', body: '{"error":{"message":"x"}}' }])
  }
  assert.throws(() => speech.watch.read({ audio: null }), Malformed)
})

test('media: of other content types, only those of the API are answers', () => {
  const of = (watch: Watch, ...types: readonly string[]) => types.map((type) => watch.unread?.(type))
  assert.deepEqual(of(speech.watch, 'audio/mpeg', 'application/octet-stream', 'text/html', 'application/json'), [
    'flow',
    'flow',
    undefined,
    undefined,
  ])
  assert.deepEqual(of(transcriptions.watch, 'text/plain; charset=utf-8', 'text/vtt', 'text/html', 'audio/mpeg'), [
    'hold',
    'hold',
    undefined,
    undefined,
  ])
  assert.deepEqual(of(infer.watch, 'application/octet-stream', '', 'text/html'), ['hold', 'hold', undefined])
})

test('media: whatever comes in, only documented errors come out', () => {
  const watches = [imageGenerations.watch, speech.watch, transcriptions.watch, moderations.watch, infer.watch]
  fc.assert(
    fc.property(fc.constantFrom(...watches), fc.jsonValue(), fc.string(), (watch, body, data) => {
      for (const read of [
        () => watch.read(body),
        () => watch === infer.watch || watch.reader().read({ type: '', data }),
        () => watch === infer.watch || watch.reader().read({ type: 'error', data: JSON.stringify(body) }),
      ])
        try {
          read()
        } catch (error) {
          assert.ok(error instanceof Malformed, String(error))
        }
    }),
    { numRuns: 2000 },
  )
})

test('inference: the paths of a model, and no others', () => {
  const at = (path: string) => {
    const found = infer.find(path)
    return found && [found.method, found.model, found.rest]
  }
  assert.deepEqual(at('/v2/models/a/infer'), ['POST', 'a', '/infer'])
  assert.deepEqual(at('/v2/models/a%2Fb/versions/3/infer'), ['POST', 'a/b', '/versions/3/infer'])
  assert.deepEqual(at('/v2/models/a'), ['GET', 'a', ''])
  assert.deepEqual(at('/v2/models/a/versions/3'), ['GET', 'a', '/versions/3'])
  assert.deepEqual(at('/v2/models/a/ready'), ['GET', 'a', '/ready'])
  for (const path of [
    '/v2/models',
    '/v2/models/',
    '/v2/models/a/b',
    '/v2/models/a/infer/x',
    '/v2/models/%E0%A4%A/infer',
  ])
    assert.equal(at(path), undefined, path)
})

test('realtime: the model of a query, which goes no further', () => {
  assert.deepEqual(realtimeOf('/v1/realtime', '?a=1&model=gpt%20x&b=2'), {
    found: { path: '/v1/realtime', method: 'GET', model: 'gpt x' },
    query: '?a=1&b=2',
  })
  assert.equal(realtimeOf('/realtime', '?model=m')?.query, '')
  for (const [path, query] of [
    ['/v1/realtime', ''],
    ['/v1/realtime', '?model='],
    ['/v1/realtime/calls', '?model=m'],
  ] as const)
    assert.equal(realtimeOf(path, query), undefined)
})
