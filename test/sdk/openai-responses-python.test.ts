import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { runPython, withoutPython } from '../helpers/python.ts'
import { upstream } from '../helpers/upstream.ts'

const skip = await withoutPython()
const script = join(import.meta.dirname, 'python', 'openai_responses.py')

const ends = [
  ['OpenAI itself', 'openai', { type: 'OpenAI' }, '/v1', 'gpt-4o'],
  ['a server that chats', 'vllm', { type: 'OpenAICompatible' }, '/v1', 'qwen'],
  ['Anthropic', 'anthropic', { type: 'Anthropic' }, '', 'claude-sonnet-4-5'],
] as const

for (const [whose, simulated, provider, base, model] of ends)
  test(
    `python: OpenAI's SDK and responses by ${whose}: whole, streamed, tools, an error in the middle`,
    { skip },
    async (t) => {
      const mock = await upstream(t, { provider: simulated, name: 'mock', tokensPerSecond: 200 })
      const { url } = await dataPath(t, {
        routes: [route('chat', [rule([target('a', { model })])])],
        endpoints: [
          endpoint('a', mock.url + base, { provider, models: [{ name: model, rank: 0, defaults: {}, force: {} }] }),
        ],
      })
      const said = JSON.parse(await runPython(script, { args: [url, 'chat'], signal: t.signal }))
      assert.match(said.whole.text, /^mock heard: How is the wind today\?/)
      assert.equal(said.whole.status, 'completed')
      assert.ok(said.whole.usage[0] > 0 && said.whole.usage[2] === said.whole.usage[0] + said.whole.usage[1])
      const { deltas, numbered, ...final } = said.streamed
      assert.deepEqual([final, deltas, numbered], [said.whole, said.whole.text, true])
      const [asked, answered] = said.loop
      assert.deepEqual(asked.calls, [['weather', JSON.stringify({ city: 'The weather, please.' })]])
      assert.match(answered.text, /^mock heard: The weather, please\./)
      assert.deepEqual(said.tools_streamed.calls, asked.calls)
      assert.ok(said.cut.error, 'an answer that fails in the middle is raised')
      assert.ok(said.cut.types.includes('response.created') && !said.cut.types.includes('response.completed'))
    },
  )
