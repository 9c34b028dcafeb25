import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Bytes } from './bytes.ts'
import { askForUsage, fieldValue, InvalidJson, requestFields, scan, splice } from './json-fields.ts'
import type { Edit, Removal } from './json-fields.ts'

const body = (text: string) => new Bytes([Buffer.from(text)])
const textOf = (bytes: Bytes) => bytes.slice(0, bytes.length).toString()
const edit = (text: string, ...edits: (Edit | Removal)[]) => textOf(splice(body(text), scan(body(text)), edits))
const position = (text: string) => {
  try {
    scan(body(text))
  } catch (error) {
    assert.ok(error instanceof InvalidJson)
    return error.position
  }
  return undefined
}

test('fields: names and offsets of the top level only, in any layout', () => {
  const text =
    ' \t{\n "model" : "gpt" ,"a":{"model":"no","b":[{"model":1}]}, "n":-1.5e+3,"t":true,"f":false,"z":null , "e":"" }\r\n'
  assert.deepEqual(
    scan(body(text)).map(({ name, start, end }) => [name, text.slice(start, end)]),
    [
      ['model', '"gpt"'],
      ['a', '{"model":"no","b":[{"model":1}]}'],
      ['n', '-1.5e+3'],
      ['t', 'true'],
      ['f', 'false'],
      ['z', 'null'],
      ['e', '""'],
    ],
  )
  assert.deepEqual(scan(body('{}')), [])
  assert.deepEqual(scan(body('\ufeff{ }')), [])
})

test('fields: names are compared as what they mean, not as they are written', () => {
  const text = '{"mod\\u0065l":"x","mödel":1,"\\"model":2,"model\\\\":3}'
  assert.deepEqual(
    scan(body(text)).map(({ name }) => name),
    ['model', 'mödel', '"model', 'model\\'],
  )
  assert.equal(requestFields(body(text)).model, 'x')
})

test('fields: what stands in strings is not structure', () => {
  const text = String.raw`{"messages":[{"content":"\"model\":\"fake\",\\\"}]{[\\"}],"model":"real","x":"\\\\"}`
  assert.equal(requestFields(body(text)).model, 'real')
})

test('fields: of duplicates the last counts, and an edit sets them all', () => {
  const text = '{"model":"a","x":1,"model":"b"}'
  assert.equal(requestFields(body(text)).model, 'b')
  assert.equal(edit(text, { name: 'model', json: '"c"' }), '{"model":"c","x":1,"model":"c"}')
})

test('fields: what a request says of itself', () => {
  const read = (value: unknown) => {
    const { fields, ...rest } = requestFields(body(JSON.stringify(value)))
    assert.ok(fields)
    return rest
  }
  const nothing = { model: undefined, stream: false, includeUsage: false, choices: 1 }
  assert.deepEqual(read({}), nothing)
  assert.deepEqual(read({ model: 5, stream: 'true', stream_options: [], n: 'two' }), nothing)
  assert.deepEqual(read({ model: null, stream: null, stream_options: null, n: null }), nothing)
  assert.deepEqual(read({ model: 'gpt-é"\\', stream: true, stream_options: { include_usage: true }, n: 3 }), {
    model: 'gpt-é"\\',
    stream: true,
    includeUsage: true,
    choices: 3,
  })
  assert.deepEqual(read({ stream_options: { include_usage: 'true' }, n: 0 }), nothing)
  assert.equal(fieldValue(body('{}'), [], 'model'), undefined)
})

test('fields: what is no JSON object is refused, with the place', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['', 0],
    ['   ', 3],
    ['null', 0],
    ['[]', 0],
    ['"model"', 0],
    ['{', 1],
    ['{"a"', 4],
    ['{"a":', 5],
    ['{"a":1', 6],
    ['{"a":1,', 7],
    ['{"a":1,}', 7],
    ['{,"a":1}', 1],
    ['{a:1}', 1],
    ["{'a':1}", 1],
    ['{"a" 1}', 5],
    ['{"a"::1}', 5],
    ['{"a":1 "b":2}', 7],
    ['{"a":1}}', 7],
    ['{"a":1} x', 8],
    ['{"a":tru}', 5],
    ['{"a":nul', 5],
    ['{"a":True}', 5],
    ['{"a":NaN}', 5],
    ['{"a":01}', 5],
    ['{"a":-}', 5],
    ['{"a":+1}', 5],
    ['{"a":.5}', 5],
    ['{"a":1.}', 7],
    ['{"a":1e}', 7],
    ['{"a":1e+}', 8],
    ['{"a":0x10}', 6],
    ['{"a":"b}', 5],
    ['{"a":"b\\"}', 5],
    ['{"a', 1],
    ['{"a":[1,]}', 8],
    ['{"a":[1 2]}', 8],
    ['{"a":[}', 6],
    ['{"a":[1}', 7],
    ['{"a":{"b":}}', 10],
    ['{"a":{]}', 6],
    ['{"\\q":1}', 1],
    ['{"a":1}\u0000', 7],
    ['{"é":1,}', 8],
  ]
  for (const [text, at] of cases) assert.equal(position(text), at, text)
  assert.throws(() => requestFields(body('{"model":"\\q"}')), { name: 'InvalidJson', position: 9 })
})

test('fields: nesting has a bound, not the program’s stack', () => {
  assert.equal(position(`{"a":${'['.repeat(1e6)}`), 261)
  assert.equal(position(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`), undefined)
})

test('fields: whatever JSON.parse takes for an object is taken, and the values are the same', () => {
  const indents = fc.constantFrom(undefined, 0, 1, '\t', '\r\n'.trim())
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), indents, (value, indent) => {
      const text = body(JSON.stringify(value, undefined, indent))
      const fields = scan(text)
      const parsed: unknown = JSON.parse(textOf(text))
      assert.deepEqual(
        Object.fromEntries(fields.map(({ name }) => [name, fieldValue(text, fields, name)])),
        Object.fromEntries(Object.entries(parsed as object)), // a dictionary, by construction
      )
    }),
    { numRuns: 500 },
  )
})

test('fields: nothing that JSON.parse refuses outside of strings is taken', () => {
  const alphabet = fc.constantFrom(...Array.from('{}[],:"\\ \n019.-+eE'), 'true', 'null', '"a"', '"b":', '{"a":')
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      const text = `{"k":${parts.join('')}}`
      const ours = position(text) === undefined
      let theirs = true
      try {
        JSON.parse(text)
      } catch {
        theirs = false
      }
      // Strings are not looked into: what they may not hold is left to the provider.
      if (!/"[^"]*[\\\n][^"]*"/.test(text)) assert.equal(ours, theirs, text)
      else if (theirs) assert.ok(ours, text)
    }),
    { numRuns: 20_000 },
  )
})

test('splice: a value is replaced in its place, every other byte stays', () => {
  assert.equal(edit('{ "model" : "a" , "x":1.0 }', { name: 'model', json: '"bé"' }), '{ "model" : "bé" , "x":1.0 }')
  assert.equal(edit('{"x":1}', { name: 'y', json: '2' }), '{"x":1,"y":2}')
  assert.equal(edit(' { \n} ', { name: 'y', json: '2' }, { name: 'z', json: '3' }), ' {"y":2,"z":3 \n} ')
  assert.equal(
    edit('{"x":1}', { name: 'x', json: '2', onlyIfAbsent: true }, { name: 'é"', json: 'null' }),
    '{"x":1,"é\\"":null}',
  )
  assert.equal(edit('{"b":1,"a":2}', { name: 'a', json: '"aaaa"' }, { name: 'b', json: '[]' }), '{"b":[],"a":"aaaa"}')
  assert.equal(edit('\ufeff{"a":1}', { name: 'a', json: '22' }), '\ufeff{"a":22}')
})

test('splice: with nothing to do the body itself comes back', () => {
  const same = body('{"x":1}')
  assert.equal(splice(same, scan(same), []), same)
  assert.equal(splice(same, scan(same), [{ name: 'x', json: '2', onlyIfAbsent: true }]), same)
})

test('splice: it equals an edit of the parsed object, and touches nothing else', () => {
  const dictionary = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
  fc.assert(
    fc.property(dictionary, dictionary, fc.boolean(), (before, change, onlyIfAbsent) => {
      const text = body(JSON.stringify(before))
      const edits = Object.entries(change).map(([name, value]) => ({ name, json: JSON.stringify(value), onlyIfAbsent }))
      const after = textOf(splice(text, scan(text), edits))
      const plain = JSON.parse(JSON.stringify(change))
      // Entries, not spread: a field may be called __proto__.
      const merged = new Map([...Object.entries(JSON.parse(textOf(text))), ...Object.entries(plain)])
      if (onlyIfAbsent) for (const [name, value] of Object.entries(JSON.parse(textOf(text)))) merged.set(name, value)
      assert.deepEqual(new Map(Object.entries(JSON.parse(after))), merged)
      if (edits.length === 0) assert.equal(after, textOf(text))
    }),
    { numRuns: 500 },
  )
})

test('splice: a field is taken out with one comma, and all its duplicates', () => {
  const gone = { name: 'x', json: undefined } as const
  assert.equal(edit('{"x":1}', gone), '{}')
  assert.equal(edit('{ "x" : 1 , "a":2 }', gone), '{ "a":2 }')
  assert.equal(edit('{"a":2 , "x":1 }', gone), '{"a":2 }')
  assert.equal(edit('{"x":0,"x":1,"a":2,"x":3,"x":4,"b":5,"x":6}', gone), '{"a":2,"b":5}')
  assert.equal(edit('{"a":1}', gone), '{"a":1}')
  assert.equal(edit('{"x":1}', gone, { name: 'y', json: '2' }), '{"y":2}')
  assert.equal(edit('{"a":0,"x":1}', gone, { name: 'y', json: '2' }, { name: 'a', json: '3' }), '{"a":3,"y":2}')
})

test('splice: what is taken out is gone, and all else stays', () => {
  const name = fc.constantFrom('a', 'b', 'c', '', '__proto__')
  const fields = fc.array(fc.tuple(name, fc.jsonValue()), { maxLength: 8 })
  fc.assert(
    fc.property(fields, fc.uniqueArray(name), fc.boolean(), (before, names, adds) => {
      const write = (list: readonly (readonly [string, unknown])[]) =>
        `{${list.map(([key, value]) => ` ${JSON.stringify(key)} : ${JSON.stringify(value)}\n`).join(',')}}`
      const text = body(write(before))
      const gone = names.map((it) => ({ name: it, json: undefined }))
      const after = textOf(splice(text, scan(text), adds ? [...gone, { name: 'new', json: '1' }] : gone))
      const kept = before.filter(([key]) => !names.includes(key))
      const there = scan(body(after))
      assert.deepEqual(
        there.map((field) => field.name),
        [...kept.map(([key]) => key), ...(adds ? ['new'] : [])],
      )
      for (const [i, [, value]] of kept.entries()) {
        const field = there[i]
        assert.ok(field)
        assert.equal(Buffer.from(after).subarray(field.start, field.end).toString(), JSON.stringify(value))
      }
    }),
    { numRuns: 1000 },
  )
})

test('splice: usage is asked for beside what else the caller’s options say', () => {
  const asked = (text: string) => edit(text, askForUsage(body(text), scan(body(text))))
  assert.equal(asked('{"stream":true}'), '{"stream":true,"stream_options":{"include_usage":true}}')
  assert.equal(
    asked('{"stream_options":{"x":1,"include_usage":false},"a":1}'),
    '{"stream_options":{"x":1,"include_usage":true},"a":1}',
  )
  assert.equal(asked('{"stream_options":null}'), '{"stream_options":{"include_usage":true}}')
})
