import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { runPython, withoutPython } from '../helpers/python.ts'
import { FLASH, GPT, lab } from './gemini-lab.ts'

const skip = await withoutPython()
const script = join(import.meta.dirname, 'python', 'gemini_chat.py')

for (const model of [FLASH, GPT]) {
  test(`python: Google's SDK keeps the history of a chat with ${model}`, { skip }, async (t) => {
    const { url } = await lab(t)
    const said = JSON.parse(await runPython(script, { args: [url, model], signal: t.signal }))
    assert.equal(said.failure, null)
    assert.match(said.text, /^mock heard: Say hello to the harbour/)
    assert.deepEqual(said.kept[0], ['user', 'Say hello to the harbour'])
    const model_said = said.kept.slice(1).map(([role, text]: [string, string]) => (role === 'model' ? text : '!'))
    assert.equal(model_said.join(''), said.text)
  })

  test(
    `python: a stream of ${model} that breaks off is an error to Google's SDK, and no short answer`,
    { skip },
    async (t) => {
      const { url, gemini, openai } = await lab(t)
      for (const mock of [gemini, openai]) {
        mock.setPace({ tokensPerSecond: 50 })
        await mock.setFaults(['cut=1500'])
      }
      const said = JSON.parse(await runPython(script, { args: [url, model], signal: t.signal }))
      assert.match(said.text, /^mock/, 'something was said before')
      assert.deepEqual(said.failure, [502, 'UNAVAILABLE'])
      assert.deepEqual(said.kept, [], 'and the chat does not keep it')
    },
  )
}
