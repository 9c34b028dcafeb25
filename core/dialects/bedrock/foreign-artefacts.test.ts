import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../bytes.ts'
import { requestFields } from '../../json-fields.ts'
import { foreignArtefacts } from './foreign-artefacts.ts'

function edited(content: unknown, model = 'anthropic.claude-sonnet-4-5-v1:0'): unknown {
  const body = new Bytes([Buffer.from(JSON.stringify({ messages: [{ role: 'assistant', content }] }))])
  const [edit] = foreignArtefacts(body, requestFields(body), model)
  return edit && JSON.parse(edit.json)
}

const thought = (signature?: string) => ({ reasoningContent: { reasoningText: { text: 'a', signature } } })
const hidden = (text: string) => ({ reasoningContent: { redactedContent: Buffer.from(text).toString('base64') } })
const text = { text: 'b' }

test('foreign artefacts: a conversation of Bedrock’s own keeps its bytes', () => {
  assert.equal(edited([thought('EqEE'), hidden('Eqk='), text]), undefined)
  assert.equal(edited([text, { text: 'a "reasoningContent" in words' }]), undefined)
  assert.equal(edited([thought(), text], 'openai.gpt-oss-120b-1:0'), undefined)
  assert.equal(edited([{ citationsContent: { content: [text], citations: [] } }, text]), undefined)
})

test('foreign artefacts: thought of others, hidden or not signed, and their citations are taken out', () => {
  const foreign = [thought('gemini:abc'), thought(), hidden('openai:abc'), { citationsContent: { citations: [] } }]
  assert.deepEqual(edited([...foreign, thought('EqEE'), text]), [
    { role: 'assistant', content: [thought('EqEE'), text] },
  ])
})
