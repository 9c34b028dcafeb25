import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { RELEASE } from '../../api/release.ts'
import { makePackage } from '../../tool/npm-package.ts'
import { runProgram } from '../helpers/command.ts'
import { manifest } from '../helpers/manifests.ts'
import { scratch } from '../helpers/scratch.ts'

describe('the npm package, packed and installed with no registry', () => {
  let directory: string
  const at = (...path: readonly string[]) => join(directory, ...path)
  const npm = async (args: readonly string[], cwd: string): Promise<string> => {
    // A registry that there is not: nothing may be fetched.
    const env = { npm_config_registry: 'http://127.0.0.1:1', npm_config_cache: at('cache'), npm_config_offline: 'true' }
    const { code, stdout, stderr } = await runProgram('npm', args, { cwd, env })
    assert.equal(code, 0, stderr)
    return stdout
  }
  before(async () => {
    directory = scratch('package')
    await makePackage(at('source'))
    const [tarball] = (await npm(['pack', '--silent', '--pack-destination', directory], at('source')))
      .trim()
      .split('\n')
    await npm(['install', '--global', '--prefix', at('installed'), at(tarball ?? '')], directory)
  })
  after(() => rmSync(directory, { recursive: true }))

  const call = (name: string, args: readonly string[], input?: string) =>
    runProgram(at('installed/bin', name), args, { cwd: directory, ...(input === undefined ? {} : { input }) })

  test('needs no other package, and says what it is', () => {
    const said: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(at('source/package.json'), 'utf8'))
    assert.deepEqual(said['dependencies'], undefined)
    assert.deepEqual([said['name'], said['version'], said['private']], ['tradewind', RELEASE, undefined])
  })

  test('is tradewind, and a plugin of kubectl', async () => {
    assert.equal((await call('tradewind', ['--version'])).stdout, `${RELEASE}\n`)
    assert.match((await call('kubectl-tradewind', ['--help'])).stdout, /^Usage: kubectl tradewind /)
  })

  test('validates, explains and completes', async () => {
    const bad = JSON.stringify(
      manifest('ModelRoute', 'r', { rules: [{ targets: [{ endpoint: { name: 'a' } }, { endpoint: { name: 'a' } }] }] }),
    )
    const { code, stdout } = await call('tradewind', ['validate', '-'], bad)
    assert.equal(code, 1)
    assert.match(stdout, /spec\.rules\[0\]\.targets: Each endpoint and model may stand in a rule once\./)
    assert.match((await call('tradewind', ['completion', 'bash'])).stdout, /complete .* tradewind/)
    assert.equal((await call('tradewind', ['status', '--kubeconfig', '/nowhere'])).code, 1)
  })

  test('simulates a model server', async () => {
    const { code, stderr } = await call('tradewind', ['mock', '--fault', 'nonsense'])
    assert.equal(code, 1)
    assert.match(stderr, /nonsense/)
  })
})
