import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { request } from 'undici'
import { eventually } from '../helpers/eventually.ts'
import { runProgram } from '../helpers/command.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstream } from '../helpers/upstream.ts'
import { program, root, run } from './running.ts'

test('faults: everybody who looks is told of them, and they end by themselves', async (t) => {
  const folder = scratch('faults')
  t.after(() => rmSync(folder, { recursive: true }))
  const mock = await upstream(t)
  const until = new Date(Date.now() + 8000)
  const object = (kind: string, name: string, spec: object) =>
    JSON.stringify({ apiVersion: 'tradewind.dev/v1alpha1', kind, metadata: { name }, spec })
  const files = [
    object('ModelEndpoint', 'e', {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `${mock.url}/v1` },
      models: [{ name: 'm' }],
      circuitBreaker: { consecutive: 100 },
    }),
    object('ModelRoute', 'chat', {
      models: ['chat'],
      rules: [
        {
          name: 'drill',
          targets: [{ endpoint: { name: 'e' } }],
          retry: { attempts: 0 },
          faults: [{ type: 'Abort', status: 503, until: until.toISOString() }],
        },
      ],
    }),
  ]
  writeFileSync(join(folder, 'all.yaml'), files.join('\n---\n'))
  const decisions = join(folder, 'decisions.jsonl')
  const { url, admin, printed, child } = await run(t, folder, ['--log-level', 'info', '--decisions', decisions])
  const ask = async () => {
    const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] })
    const { statusCode, headers, body: answer } = await request(`${url}/v1/chat/completions`, { method: 'POST', body })
    return { status: statusCode, reason: headers['x-tradewind-reason'], text: await answer.text() }
  }
  const metrics = async () => (await request(`${admin}/metrics`)).body.text()
  const tell = async (...words: string[]) =>
    (await runProgram(process.execPath, [program, ...words, '--admin', admin], { cwd: root })).stdout
  const end = until.toISOString()

  assert.match((await ask()).text, /Abort injected/)
  const [text, status, explanation] = await Promise.all([metrics(), tell('status'), tell('explain', '-m', 'chat')])
  assert.match(text, /tradewind_faults_active\{route="default\/chat",rule="drill",type="Abort"\} 1\n/)
  assert.match(text, /tradewind_faults_injected_total\{route="default\/chat",rule="drill",[^}]*type="Abort"\} 1\n/)
  assert.match(status, new RegExp(`default/chat: FaultsInjected FaultsInjected: .*Rule drill: Abort .* until ${end}`))
  assert.match(explanation, new RegExp(`Injected on purpose: Abort with 503 of 100 % of the calls until ${end}`))
  await eventually(() => {
    assert.match(printed(), new RegExp(`^faults ModelRoute default/chat: Failures are injected .*until ${end}`, 'm'))
    assert.match(
      printed(),
      /"msg":"Failures are injected on purpose\.","route":"default\/chat","rule":"drill","fault":"A/,
    )
    assert.match(printed(), /"msg":"request".*"attempts":\[\{.*"code":"upstream_error","injected":\["Abort"\]/)
  })
  const line = await eventually(() => {
    const text = readFileSync(decisions, 'utf8').trim()
    assert.notEqual(text, '')
    return text
  })
  assert.deepEqual(JSON.parse(line).attempts[0].injected, ['Abort'])

  await eventually(async () => assert.equal((await ask()).status, 200), { within: 20_000 })
  assert.ok(Date.now() >= until.getTime(), 'not before its end')
  await eventually(async () => {
    assert.match(await metrics(), /tradewind_faults_active\{route="default\/chat",rule="drill",type="Abort"\} 0\n/)
    assert.match(printed(), /ModelRoute default\/chat: nothing is injected any more/)
    assert.match(printed(), /"msg":"A fault is injected no longer\."/)
  })
  assert.doesNotMatch(await tell('status'), /FaultsInjected/)
  assert.doesNotMatch(await tell('explain', '-m', 'chat'), /Injected/)
  assert.equal(child.hasEnded(), false)
})
