import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../bytes.ts'
import { requestFields, splice } from '../../json-fields.ts'
import { ownSignatures } from './own-signatures.ts'
import { writeSignature } from './signature.ts'

const PRO = 'gemini-3-pro-preview'
const FLASH = 'gemini-2.5-flash'

/** The contents after the edits, or undefined where the bytes stay. */
function edited(contents: unknown, model: string): unknown {
  const body = new Bytes([Buffer.from(JSON.stringify({ contents, other: 1 }))])
  const fields = requestFields(body)
  const edits = ownSignatures(body, fields, model)
  if (edits.length === 0) return undefined
  const after = splice(body, fields.fields, edits)
  const { other, contents: now } = JSON.parse(after.slice(0, after.length).toString())
  assert.equal(other, 1)
  return now
}

const hi = { role: 'user', parts: [{ text: 'Hi' }] }
const model = (...parts: readonly object[]) => ({ role: 'model', parts })
const call = { functionCall: { name: 'f', args: {} } }
const mine = { thoughtSignature: 'c2ln' }
const theirs = (hidden = false) => ({
  thoughtSignature: writeSignature({ format: 'anthropic', value: 'c2ln' }, hidden),
})
const ESCAPED = { thoughtSignature: 'skip_thought_signature_validator' }

const cases: readonly (readonly [about: string, name: string, before: object, after: object | undefined])[] = [
  [
    'what Google signed stays',
    PRO,
    model({ text: 'a', thought: true, ...mine }, { ...call, ...mine }, call),
    undefined,
  ],
  [
    'a call that nobody signed gets the escape, the first of a content',
    PRO,
    model({ text: 'a' }, call, call),
    model({ text: 'a' }, { ...call, ...ESCAPED }, call),
  ],
  ['a model that asks for no signature gets none', FLASH, model(call), undefined],
  ['the escape stays', PRO, model({ ...call, ...ESCAPED }), undefined],
  [
    'a thought that another signed loses its signature',
    FLASH,
    model({ text: 'a', thought: true, ...theirs() }, { text: 'b' }),
    model({ text: 'a', thought: true }, { text: 'b' }),
  ],
  [
    'a signature alone goes, and so does hidden thought',
    FLASH,
    model({ text: '', thought: true, ...theirs() }, { text: '', thought: true, ...theirs(true) }, { text: 'b' }),
    model({ text: 'b' }),
  ],
  ['a call that another signed gets the escape', PRO, model({ ...call, ...theirs() }), model({ ...call, ...ESCAPED })],
  [
    'names in snake_case are seen too',
    PRO,
    model({ function_call: { name: 'f' }, thought_signature: theirs().thoughtSignature }),
    model({ function_call: { name: 'f' }, ...ESCAPED }),
  ],
]

for (const [about, name, before, after] of cases)
  test(`own signatures: ${about}`, () => {
    assert.deepEqual(edited([hi, before, hi], name), after && [hi, after, hi])
  })

test('own signatures: a content of which nothing is left goes', () => {
  assert.deepEqual(edited([hi, model({ text: '', thought: true, ...theirs(true) }), hi], FLASH), [hi, hi])
})

test('own signatures: contents that are none are for the provider to judge', () => {
  for (const contents of ['a', [1, null, { role: 'model' }, { role: 'model', parts: [1, null] }], { functionCall: 1 }])
    assert.equal(edited(contents, PRO), undefined)
})
