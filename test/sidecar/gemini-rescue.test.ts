import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'
import { googleSdk } from '../sdk/gemini-lab.ts'

const MODEL = 'gemini-2.0-flash'
const pace = { tokens: 20, tokensPerSecond: 500 }

for (const prefill of [true, undefined])
  test(`rescue: an answer of Gemini that breaks off is gone on with by another, ${prefill ? 'from where it stopped' : 'from the beginning, where it gives the same'}`, async (t) => {
    const [first, second] = [
      await upstream(t, { name: 'mock', provider: 'gemini', ...pace, faults: ['cut=2500'] }),
      await upstream(t, { name: 'mock', provider: 'gemini', ...pace }),
    ]
    const models = [
      { name: MODEL, rank: 0, defaults: {}, force: {}, ...(prefill ? { capabilities: { prefill } } : {}) },
    ]
    const { url } = await dataPath(t, {
      routes: [
        route('chat', [rule([target('one', { model: MODEL }), target('two', { model: MODEL, priority: 1 })])], {
          models: [MODEL],
        }),
      ],
      endpoints: [
        endpoint('one', first.url, { provider: { type: 'Gemini' }, models }),
        endpoint('two', second.url, { provider: { type: 'Gemini' }, models }),
      ],
    })
    const ask = async () => {
      const config = { maxOutputTokens: 40, temperature: 0 }
      const stream = await googleSdk(url).models.generateContentStream({
        model: MODEL,
        contents: 'Say something',
        config,
      })
      let [text, reason] = ['', '']
      for await (const chunk of stream) {
        text += chunk.text ?? ''
        reason = chunk.candidates?.[0]?.finishReason ?? reason
      }
      return { text, reason }
    }
    const rescued = await ask()
    await first.setFaults([])
    const undisturbed = await ask()
    assert.deepEqual(rescued, undisturbed)
    assert.equal(rescued.reason, 'STOP')
    const [record] = second.requests()
    const body: { contents: readonly { role: string }[]; generationConfig: { maxOutputTokens: number } } = JSON.parse(
      record?.body ?? '',
    )
    assert.deepEqual(
      body.contents.map(({ role }) => role),
      prefill ? ['user', 'model'] : ['user'],
    )
    assert.equal(body.generationConfig.maxOutputTokens < 40, prefill === true)
  })
