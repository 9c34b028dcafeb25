import assert from 'node:assert/strict'
import test from 'node:test'
import { ESCAPE, readSignature, writeSignature } from './signature.ts'

for (const format of ['anthropic', 'openai', 'bedrock', 'cohere'] as const)
  for (const hidden of [false, true])
    test(`signature: ${hidden ? 'hidden thought' : 'a signature'} of ${format} comes back as it went, in either alphabet`, () => {
      const artefact = { format, value: 'é+/=:'.repeat(9) }
      const written = writeSignature(artefact, hidden)
      assert.deepEqual(readSignature(written), { artefact, hidden })
      assert.deepEqual(readSignature(written.replaceAll('+', '-').replaceAll('/', '_')), { artefact, hidden })
    })

test('signature: Google’s own stays as it is', () => {
  const artefact = { format: 'gemini', value: 'Et8ECtwEAXLI2nyCB1jKZUE4ZxdH07XhZlpU7X7tlcbNO8oQ' } as const
  assert.equal(writeSignature(artefact), artefact.value)
  assert.deepEqual(readSignature(artefact.value), { artefact, hidden: false })
})

test('signature: the escape signs nothing, plain or in base64', () => {
  assert.equal(readSignature(ESCAPE), undefined)
  assert.equal(readSignature(Buffer.from(ESCAPE).toString('base64')), undefined)
})
