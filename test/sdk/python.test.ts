import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { runPython, withoutPython } from '../helpers/python.ts'
import { lab } from './cohere-lab.ts'

const skip = await withoutPython()
const script = (name: string) => join(import.meta.dirname, 'python', name)

test('python: the official SDKs are there, each at its pinned version', { skip }, async (t) => {
  const versions: Record<string, string> = JSON.parse(await runPython(script('versions.py'), { signal: t.signal }))
  assert.deepEqual(Object.keys(versions).sort(), ['anthropic', 'boto3', 'cohere', 'google-genai', 'openai'])
  const pinned = readFileSync(join(import.meta.dirname, '../python/requirements.txt'), 'utf8').split('\n')
  for (const [name, version] of Object.entries(versions)) assert.ok(pinned.includes(`${name}==${version}`), name)
})

test('python: a script that fails says why', { skip }, async (t) => {
  await assert.rejects(runPython(script('none.py'), { signal: t.signal }), /No such file/)
})

for (const model of ['command-a', 'gpt-4o'])
  test(`python: Cohere's SDK with ${model}, whole and streamed, tools, rerank, an error`, { skip }, async (t) => {
    const { url } = await lab(t)
    const said = JSON.parse(await runPython(script('cohere_chat.py'), { args: [url, model], signal: t.signal }))
    assert.match(said.whole.text, /^mock heard: Say hello to the harbour/)
    assert.equal(said.whole.reason, 'COMPLETE')
    assert.ok(said.whole.usage[0] > 0 && said.whole.usage[1] > 0)
    assert.deepEqual(said.streamed, said.whole)
    const [[id, name, text]] = said.tools.calls
    assert.ok(id)
    assert.equal(name, 'get_weather')
    assert.deepEqual(JSON.parse(text), { place: 'get_weather, please' })
    assert.equal(said.tools.reason, 'TOOL_CALL')
    assert.deepEqual(said.tools_streamed, said.tools)
    assert.deepEqual(said.ranked, [
      [1, 1],
      [0, 0.5],
    ])
    assert.match(said.failure, /models served here/)
  })
