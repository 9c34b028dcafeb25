import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Bytes } from './bytes.ts'
import { formFields, InvalidForm, isForm, spliceForm } from './multipart.ts'
import type { Edit, Removal } from './json-fields.ts'

const TYPE = 'multipart/form-data; boundary=XX'
const whole = (text: string | Buffer) => new Bytes([Buffer.from(text)])
const textOf = (bytes: Bytes) => Buffer.concat(bytes.pieces).toString('latin1')
const part = (name: string, value: string, more = '') =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
const FILE = '; filename="a.wav"\r\nContent-Type: audio/wav'
const recording = `${part('file', 'RIFF\r\n-- \r\n--X', FILE)}${part('model', 'whisper-1')}${part('response_format', 'text')}--XX--\r\n`
const edit = (text: string, ...edits: (Edit | Removal)[]) =>
  textOf(spliceForm(whole(text), formFields(whole(text), TYPE), edits))

test('form: a content type says whether there is one', () => {
  assert.equal(isForm('multipart/form-data; boundary=x'), true)
  assert.equal(isForm('Multipart/Form-Data;boundary=x'), true)
  assert.equal(isForm('application/json'), false)
  assert.equal(isForm('multipart/form-datas'), false)
})

test('form: its fields are found, and files are not looked into', () => {
  const { model, stream, choices, fields } = formFields(whole(recording), TYPE)
  assert.deepEqual([model, stream, choices], ['whisper-1', false, 1])
  assert.deepEqual(
    fields.map(({ name, start, end }) => [name, recording.slice(start, end)]),
    [
      ['file', 'RIFF\r\n-- \r\n--X'],
      ['model', 'whisper-1'],
      ['response_format', 'text'],
    ],
  )
  assert.equal(formFields(whole(`${part('stream', 'true')}${part('n', '3')}--XX--`), TYPE).stream, true)
  assert.equal(formFields(whole(`${part('n', '3')}--XX--`), TYPE).choices, 3)
})

test('form: boundaries and names in all the ways in which they are written', () => {
  const named = (head: string, type = TYPE) =>
    formFields(whole(`--XX\r\n${head}\r\n\r\nm\r\n--XX--`), type).fields.map(({ name }) => name)
  assert.deepEqual(named('content-disposition:form-data;name=model'), ['model'])
  assert.deepEqual(named('Content-Type: text/plain\r\nContent-Disposition: form-data; name="model"'), ['model'])
  assert.deepEqual(named('Content-Disposition: form-data; filename="name=x"; name="a\\"b"'), ['a"b'])
  assert.deepEqual(named('X: y', 'multipart/form-data; charset=utf-8; Boundary="XX"'), [''])
  // The first divider may have a preamble, and spaces may follow any; a part may have no headers and no value.
  assert.deepEqual(formFields(whole('hello\r\n--XX \t\r\n\r\n\r\n--XX--epilogue'), TYPE).fields, [
    { name: '', key: 7, start: 17, end: 17 },
  ])
})

test('form: what is none is refused', () => {
  for (const [text, type] of [
    [recording, 'multipart/form-data'],
    [recording, 'multipart/form-data; boundary=YY'],
    ['', TYPE],
    ['--XX', TYPE],
    ['--XX\r\nContent-Disposition: form-data; name="a"', TYPE],
    [part('a', 'b'), TYPE],
    ['--XXX\r\n\r\na\r\n--XX--', TYPE],
    [`--XX\r\n${'x'.repeat(20_000)}\r\n\r\na\r\n--XX--`, TYPE],
    [`${part('a', '').repeat(1001)}--XX--`, TYPE],
  ] as const)
    assert.throws(() => formFields(whole(text), type), InvalidForm)
})

test('form: a field is replaced in its place, added at the end, or taken out', () => {
  assert.equal(
    edit(recording, { name: 'model', json: '"gpt-4o-mini-transcribe"' }),
    recording.replace('whisper-1', 'gpt-4o-mini-transcribe'),
  )
  assert.equal(
    edit(recording, { name: 'temperature', json: '0.5' }),
    recording.replace('--XX--', `${part('temperature', '0.5')}--XX--`),
  )
  assert.equal(edit(recording, { name: 'model', json: '"x"', onlyIfAbsent: true }), recording)
  assert.equal(edit(recording, { name: 'model', json: undefined }), recording.replace(part('model', 'whisper-1'), ''))
  assert.equal(
    edit(recording, { name: 'response_format', json: undefined }),
    recording.replace(part('response_format', 'text'), ''),
  )
  assert.equal(edit(recording, { name: 'nothing', json: undefined }), recording)
})

test('form: a value cannot close the form', () => {
  assert.throws(() => edit(recording, { name: 'model', json: '"a\\r\\n--XX--"' }), InvalidForm)
})

test('form: wherever it is cut, and whatever the pieces, all is the same', () => {
  const bytes = Buffer.from(recording)
  const want = formFields(whole(recording), TYPE)
  const change = [
    { name: 'model', json: '"m"' },
    { name: 'file', json: undefined },
    { name: 'z', json: '1' },
  ] as const
  const after = textOf(spliceForm(whole(recording), want, change))
  const same = (pieces: Buffer[]) => {
    const body = new Bytes(pieces)
    const fields = formFields(body, TYPE)
    assert.deepEqual(fields, want)
    assert.equal(textOf(spliceForm(body, fields, change)), after)
  }
  for (let at = 0; at <= bytes.length; at++) same([bytes.subarray(0, at), bytes.subarray(at)])
  same([...bytes].map((byte) => Buffer.of(byte)))
})

test('form: every boundary, name and value that may stand in one comes out as it went in', () => {
  const boundary = fc.string({ unit: fc.constantFrom(..."aZ09-_'()+,./:=?".split('')), minLength: 1, maxLength: 70 })
  const field = fc.record(
    {
      name: fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), minLength: 1, maxLength: 4 }),
      value: fc.string({ unit: fc.constantFrom('a', '-', '\r', '\n', '--', '\r\n', 'é', '\r\n--'), maxLength: 12 }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(boundary, fc.array(field, { maxLength: 5 }), fc.nat(200), (divider, fields, at) => {
      fc.pre(fields.every(({ value }) => !`\r\n${value}\r\n`.includes(`\r\n--${divider}`)))
      const text = `${fields.map(({ name, value }) => `--${divider}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--${divider}--\r\n`
      const bytes = Buffer.from(text)
      const body = new Bytes([bytes.subarray(0, at), bytes.subarray(at)])
      const read = formFields(body, `multipart/form-data; boundary="${divider}"`)
      const said = ({ name, start, end }: (typeof read.fields)[number]) => ({
        name,
        value: bytes.subarray(start, end).toString(),
      })
      assert.deepEqual(read.fields.map(said), fields)
      const added = spliceForm(body, read, [{ name: 'model', json: '"m"' }])
      const again = formFields(added, `multipart/form-data; boundary="${divider}"`)
      assert.equal(again.model, 'm')
      assert.equal(again.fields.length, fields.length + 1)
    }),
    { numRuns: 1000 },
  )
})

test('form: no input does anything but give fields or a plain refusal', () => {
  const token = fc.constantFrom(
    '--XX',
    '--XX--',
    '\r\n',
    '\r',
    '\n',
    'Content-Disposition: form-data; name="',
    '"',
    'model',
    '\r\n\r\n',
    'x',
    ';',
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), fc.nat(100), (tokens, at) => {
      const bytes = Buffer.from(tokens.join(''))
      try {
        formFields(new Bytes([bytes.subarray(0, at), bytes.subarray(at)]), TYPE)
      } catch (error) {
        assert.ok(error instanceof InvalidForm, String(error))
      }
    }),
    { numRuns: 20_000 },
  )
})
