import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RolloutView } from '../../operator/rollouts.ts'
import { startMock } from '../../cli/mock/server.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { manifest } from '../helpers/manifests.ts'
import { scratch } from '../helpers/scratch.ts'
import { root, run } from './running.ts'

test('tradewind rollout moves the rollout of a local run, by hand and by annotation', async (t) => {
  const mocks = await Promise.all([startMock(), startMock()])
  const directory = scratch('rollout')
  t.after(async () => {
    await Promise.all(mocks.map((mock) => mock.close()))
    rmSync(directory, { recursive: true })
  })
  const write = (annotations: Readonly<Record<string, string>>) => {
    const rule = {
      name: 'all',
      targets: [{ endpoint: { name: 'e0' } }, { endpoint: { name: 'e1' } }],
      rollout: { canary: { name: 'e1' }, steps: [{ weight: 10 }, { weight: 100 }] },
    }
    const route = manifest('ModelRoute', 'chat', { models: ['chat'], rules: [rule] }) as { metadata: object } // it has metadata
    const all = [
      ...mocks.map(({ url }, at) =>
        manifest('ModelEndpoint', `e${at}`, { address: { type: 'URL', url: `${url}/v1` } }),
      ),
      { ...route, metadata: { ...route.metadata, annotations } },
    ]
    writeFileSync(join(directory, 'all.yaml'), all.map((it) => JSON.stringify(it)).join('\n---\n'))
  }
  write({})
  const { admin } = await run(t, directory)
  const tradewind = (...args: readonly string[]) =>
    runProgram(process.execPath, ['cli/main.ts', 'rollout', ...args, '--admin', admin], { cwd: root })
  const now = async () => {
    const { rollouts } = (await (await fetch(`${admin}/v1/rollouts`)).json()) as { rollouts: RolloutView[] } // what it answers with 200
    return rollouts[0]
  }
  const phase = (wanted: RolloutView['phase'], by?: string) =>
    eventually(async () => {
      const view = await now()
      assert.equal(view?.phase, wanted)
      assert.equal(view?.by, by)
      return view
    })
  assert.equal((await phase('Progressing'))?.weight, 10)
  assert.match((await tradewind('status', 'chat')).stdout, /◉○ {2}1\/2/)
  for (const [verb, then] of [
    ['pause', 'Paused'],
    ['resume', 'Progressing'],
    ['abort', 'RolledBack'],
  ] as const) {
    const { code, stdout, stderr } = await tradewind(verb, 'chat')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^default\/chat all /)
    await phase(then, 'local')
  }
  const refused = await tradewind('promote', 'chat')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^error: The rollout is RolledBack and takes no promote now: it takes retry\.\n$/)
  assert.equal((await tradewind('status', 'chat')).code, 1)
  assert.equal((await tradewind('retry', 'chat')).code, 0)
  const watched = tradewind('watch', 'chat')
  await phase('Progressing', 'local')
  await eventually(async () => assert.match(await (await fetch(`${admin}/v1/rollouts`)).text(), /Progressing/))
  write({ 'tradewind.dev/rollout': 'promote:all@go' })
  await phase('Promoted', 'annotation (go)')
  const { code, stdout } = await watched
  assert.equal(code, 0)
  assert.match(stdout.trim().split('\n').at(-1) ?? '', / default\/chat all Promoted 2\/2, 100 %/)
})

test('the admin port takes what is done to rollouts from no page of another origin, and no form', async (t) => {
  const directory = scratch('rollout')
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'e.yaml'), JSON.stringify(manifest('ModelEndpoint', 'e', {})))
  const { admin } = await run(t, directory)
  const post = async (headers: Readonly<Record<string, string>>) => {
    const options = { method: 'POST', headers, body: '{"action":"promote"}' }
    return (await fetch(`${admin}/v1/rollouts/default/chat/all`, options)).status
  }
  assert.equal(await post({ 'content-type': 'application/json', origin: 'https://evil.test' }), 403)
  assert.equal(await post({ 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await post({ 'content-type': 'text/plain', origin: admin }), 415)
  assert.equal(await post({ 'content-type': 'application/json', origin: admin }), 404)
})
