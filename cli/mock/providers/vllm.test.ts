import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstream } from '../../../test/helpers/upstream.ts'

const messages = [{ role: 'user', content: 'Hi' }]

test('the simulated vLLM takes what it does not know, goes on where it is told, thinks aloud, and words its errors itself', async (t) => {
  const mock = await upstream(t, { provider: 'vllm', name: 'a', tokens: 8, apiKey: 'k' })
  const ask = async (body: object, path = '/v1/chat/completions') => {
    const answer = await fetch(mock.url + path, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'm', messages, ...body }),
    })
    return { status: answer.status, body: JSON.parse(await answer.text()) }
  }
  const whole = (await ask({ top_k: 3, chat_template_kwargs: {}, tools: [], tool_choice: 'auto' })).body.choices[0]
    .message.content
  const begun = { messages: [...messages, { role: 'assistant', content: whole.slice(0, 9), reasoning_content: 'Hm' }] }
  const rest = await ask({ ...begun, continue_final_message: true, add_generation_prompt: false })
  assert.equal(whole.slice(0, 9) + rest.body.choices[0].message.content, whole)
  assert.match((await ask(begun)).body.choices[0].message.content, /^a heard: Hi/)
  assert.equal((await ask({ ...begun, continue_final_message: true })).status, 400)
  assert.match((await ask({ model: 'deepseek-r1' })).body.choices[0].message.reasoning_content, /^a heard: thinks: Hi/)
  const { status, body } = await ask({ messages: [] })
  assert.deepEqual([status, body.error.type, body.error.code], [400, 'BadRequestError', 400])
  assert.deepEqual((await ask({}, '/v1/responses')).body, { detail: 'Not Found' })
  assert.equal((await ask({ prompt: 'Hi' }, '/v1/completions')).status, 200)
  assert.equal((await ask({ input: 'Hi' }, '/v1/embeddings')).status, 200)
  await mock.setFaults(['context-length'])
  assert.match((await ask({})).body.error.message, /maximum context length is 8192/)
})
