import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../bytes.ts'
import { requestFields } from '../../json-fields.ts'
import { foreignArtefacts } from './foreign-artefacts.ts'

function edited(content: unknown): unknown {
  const body = new Bytes([Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'assistant', content }] }))])
  const [edit] = foreignArtefacts(body, requestFields(body))
  return edit && JSON.parse(edit.json)
}

const own = { type: 'thinking', thinking: 'a', signature: 'EqEE' }
const text = { type: 'text', text: 'b' }

test('foreign artefacts: a conversation of Anthropic’s own keeps its bytes', () => {
  assert.equal(edited([own, { type: 'redacted_thinking', data: 'Eqk=' }, text]), undefined)
  assert.equal(edited('a "signature" in words'), undefined)
  assert.equal(edited([text]), undefined)
})

test('foreign artefacts: thought of others, hidden or not signed, is taken out', () => {
  const foreign = [
    { type: 'thinking', thinking: 'a', signature: 'gemini:abc' },
    { type: 'thinking', thinking: 'a', signature: '' },
    { type: 'redacted_thinking', data: 'openai:abc' },
  ]
  assert.deepEqual(edited([...foreign, own, text]), [{ role: 'assistant', content: [own, text] }])
  assert.deepEqual(edited(foreign), [])
})

test('foreign artefacts: a citation of a page that Anthropic did not find is taken out', () => {
  const cited = (index: string) => ({ type: 'web_search_result_location', url: 'https://a', encrypted_index: index })
  assert.deepEqual(edited([{ ...text, citations: [cited(''), cited('x')] }]), [
    { role: 'assistant', content: [{ ...text, citations: [cited('x')] }] },
  ])
  assert.deepEqual(edited([{ ...text, citations: [cited('')] }]), [
    { role: 'assistant', content: [{ ...text, citations: null }] },
  ])
})

test('foreign artefacts: they are found wherever the body comes in two', () => {
  const content = [{ type: 'thinking', thinking: 'a', signature: 'gemini:abc' }, text]
  const bytes = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'assistant', content }] }))
  for (let at = 0; at <= bytes.length; at++) {
    const body = new Bytes([bytes.subarray(0, at), bytes.subarray(at)])
    assert.equal(foreignArtefacts(body, requestFields(body)).length, 1, `cut at byte ${at}`)
  }
})
