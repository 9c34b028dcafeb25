import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { request } from 'undici'
import type { Explanation } from '../../core/explain.ts'
import type { Overview } from '../../operator/overview.ts'
import { startMock } from '../../cli/mock/server.ts'
import type { Mock } from '../../cli/mock/server.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { manifest } from '../helpers/manifests.ts'
import { scratch } from '../helpers/scratch.ts'

const root = join(import.meta.dirname, '../..')

describe('tradewind status and explain, of a local run', () => {
  let directory: string
  let url = ''
  let admin = ''
  let mocks: readonly Mock[] = []
  let stop = async (): Promise<void> => {}

  const write = (...weights: readonly number[]): void => {
    const targets = weights.map((weight, index) => ({ endpoint: { name: `e${index}` }, weight }))
    const manifests = [
      ...mocks.map(({ url }, index) =>
        manifest('ModelEndpoint', `e${index}`, { address: { type: 'URL', url: `${url}/v1` } }),
      ),
      manifest('ModelRoute', 'chat', { models: ['chat'], rules: [{ name: 'all', targets }] }),
    ]
    writeFileSync(join(directory, 'all.yaml'), manifests.map((it) => JSON.stringify(it)).join('\n---\n'))
  }

  before(async () => {
    directory = scratch('local')
    mocks = await Promise.all([startMock(), startMock()])
    write(9, 1)
    const args = ['cli/main.ts', 'run', directory, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    stop = async () => {
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
    }
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    await eventually(
      () => {
        const found = /Send requests to (\S+) .*explain to (\S+)/.exec(printed)
        assert.ok(found, printed)
        ;[, url = '', admin = ''] = found
      },
      { within: 30_000 },
    )
  })
  after(async () => {
    await stop()
    await Promise.all(mocks.map((mock) => mock.close()))
    rmSync(directory, { recursive: true })
  })

  const tradewind = (...args: readonly string[]) =>
    runProgram(process.execPath, ['cli/main.ts', ...args], { cwd: root })
  const chat = async (): Promise<number> => {
    const { statusCode, body } = await request(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    await body.dump()
    return statusCode
  }
  /** The shares of the rule's two targets as observed, and of how many requests. */
  const observed = async () => {
    const { code, stdout } = await tradewind('status', '--admin', admin, '-o', 'json')
    const overview: Overview = JSON.parse(stdout)
    const requests = overview.routes[0]?.status.rules?.[0]?.targets.map((target) => target.requests) ?? []
    return { code, overview, requests }
  }

  test('status: what the sidecar serves, and the shares that were observed', async () => {
    for (let i = 0; i < 40; i++) assert.equal(await chat(), 200)
    await eventually(
      async () => {
        const { requests, overview, code } = await observed()
        const [small = 0, large = 0] = requests
        assert.equal(small + large, 40)
        // Of the random start depends which side of the border one request falls on.
        assert.ok(Math.abs(small - 36) <= 1, `${small} of 40`)
        assert.deepEqual(overview.sidecars[0]?.routes, [{ name: 'default/chat', serves: 'Current' }])
        assert.equal(code, 0)
      },
      { within: 20_000 },
    )
    const { stdout } = await tradewind('status', '--admin', admin)
    assert.match(stdout, /^default\/local +\S+ +1\/1 +acknowledged$/m)
    assert.match(stdout, /^default\/chat +all +e0 m +9 +0 +(87\.5|90\.0|92\.5) % of 40$/m)
    assert.match(stdout, /^default\/e0 +m +1\/1 +0 +0 +True$/m)
    assert.match((await tradewind('status', '--admin', admin, '-n', 'elsewhere')).stdout, /^Nothing is there yet/)
  })

  test('explain: by the manifests in force, which an edit changes', async () => {
    const explain = async () => {
      const { code, stdout } = await tradewind('explain', '--admin', admin, '--model', 'chat', '-o', 'json')
      const explanation: Explanation = JSON.parse(stdout)
      return { code, shares: explanation.targets.map(({ share }) => share) }
    }
    assert.deepEqual(await explain(), { code: 0, shares: [0.9, 0.1] })
    write(5, 5)
    await eventually(async () => assert.deepEqual((await explain()).shares, [0.5, 0.5]), { within: 10_000 })
    assert.equal((await tradewind('explain', '--admin', admin, '--model', 'nobody')).code, 1)
  })

  test('status: with no kubeconfig there is only a local run to ask', async () => {
    const nowhere = { KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '', HOME: directory }
    const { host } = new URL(admin)
    const found = await runProgram(process.execPath, ['cli/main.ts', 'status'], {
      cwd: root,
      env: { ...nowhere, TRADEWIND_ADMIN: host },
    })
    assert.match(found.stdout, /default\/chat/)
    const none = await runProgram(process.execPath, ['cli/main.ts', 'status'], {
      cwd: root,
      env: { ...nowhere, TRADEWIND_ADMIN: '127.0.0.1:1' },
    })
    assert.equal(none.code, 1)
    assert.match(none.stderr, /127\.0\.0\.1:1 cannot be asked .*tradewind run/)
  })

  test('status: a manifest that is wrong is said, with exit code 1, and the one before goes on', async () => {
    write(5, -1)
    await eventually(
      async () => {
        const { code, stdout } = await tradewind('status', '--admin', admin)
        assert.equal(code, 1)
        assert.match(stdout, /default\/chat: Accepted Invalid: .*weight: Invalid value: -1/)
      },
      { within: 10_000 },
    )
    assert.equal(await chat(), 200)
  })
})
