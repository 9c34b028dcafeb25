import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load } from 'js-yaml'
import { commands } from '../../cli/commands.ts'
import { program } from '../../cli/program.ts'
import type { Explanation } from '../../core/explain.ts'
import { RELEASE } from '../../api/release.ts'
import { runProgram } from '../helpers/command.ts'
import { manifest } from '../helpers/manifests.ts'
import { needs } from '../helpers/needs.ts'
import { scratch } from '../helpers/scratch.ts'

const root = join(import.meta.dirname, '../..')
let directory: string
before(() => (directory = scratch('cli')))
after(() => rmSync(directory, { recursive: true }))

const tradewind = (args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}) =>
  runProgram(process.execPath, ['cli/main.ts', ...args], { cwd: root, ...options })

/** Writes files into a new directory of that name, and gives its path. */
function files(name: string, contents: Readonly<Record<string, string>>): string {
  const path = join(directory, name)
  mkdirSync(path)
  for (const [file, text] of Object.entries(contents)) writeFileSync(join(path, file), text)
  return path
}

const ADDRESS = { type: 'URL', url: 'https://api.example.com/v1' }
const yaml = (...objects: object[]): string => objects.map((object) => JSON.stringify(object)).join('\n---\n')
const good = yaml(manifest('ModelEndpoint', 'e', { address: ADDRESS }), manifest('ModelRoute', 'r'))

describe('the command line', () => {
  test('the list of commands describes each as it describes itself', async () => {
    const whole = await program('all')
    for (const { name, summary } of commands)
      assert.equal(whole.commands.find((command) => command.name() === name)?.description(), summary)
  })

  test('every command has help with a description of each option and argument, and most have examples', async () => {
    for (const command of (await program('all')).commands) {
      const { code, stdout, stderr } = await tradewind([command.name(), '--help'])
      assert.deepEqual([code, stderr], [0, ''], command.name())
      assert.ok(stdout.includes(command.description().slice(0, 40)))
      for (const option of command.options) assert.ok(option.description, `${command.name()} ${option.flags}`)
      for (const argument of command.registeredArguments) assert.ok(argument.description, argument.name())
    }
  })

  test('exit codes: 0 done, 1 a problem found, 2 the command line is wrong; errors are one line', async () => {
    const cases: readonly (readonly [code: number, args: readonly string[]])[] = [
      [0, ['--help']],
      [0, ['--version']],
      [0, ['version']],
      [0, ['help', 'validate']],
      [0, ['validate', files('good', { 'a.yaml': good })]],
      [1, ['validate', files('bad', { 'a.yaml': yaml(manifest('ModelRoute', 'r', { rules: [] })) })]],
      [1, ['validate', '/nowhere/at/all']],
      [1, ['validate', files('empty', {})]],
      [1, ['explain', '--model', 'm', '--admin', 'http://127.0.0.1:1']],
      [1, ['status', '--admin', 'nonsense']],
      [1, ['status', '--kubeconfig', '/nowhere/at/all']],
      [2, []],
      [2, ['nonsense']],
      [2, ['validate']],
      [2, ['validate', '--nonsense', '.']],
      [2, ['version', '-o', 'xml']],
      [2, ['explain', '--header', 'nonsense']],
      [2, ['explain', '--dir', '.', '--admin', 'http://127.0.0.1:1']],
      [2, ['completion', 'tcsh']],
    ]
    for (const [expected, args] of cases) {
      const { code, stderr } = await tradewind(args)
      assert.equal(code, expected, `tradewind ${args.join(' ')}: ${stderr}`)
      if (expected > 0 && args.length > 0 && !stderr.includes('manifest')) {
        assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
        assert.match(stderr, /^error: .+[.?;]/)
      }
    }
  })

  test('a word that is nearly right is suggested', async () => {
    assert.match((await tradewind(['valdate'])).stderr, /Did you mean validate\?/)
    assert.match((await tradewind(['validate', '--allow-loopbak', '.'])).stderr, /Did you mean --allow-loopback\?/)
  })

  test('as a plugin of kubectl it goes by that name', async () => {
    const plugin = join(directory, 'kubectl-tradewind')
    symlinkSync(join(root, 'cli/main.ts'), plugin)
    const { stdout } = await runProgram(process.execPath, [plugin, '--help'])
    assert.match(stdout, /^Usage: kubectl tradewind /)
  })

  test('-o json and -o yaml print the same data', async () => {
    const [json, asYaml] = [await tradewind(['version', '-o', 'json']), await tradewind(['version', '-o', 'yaml'])]
    assert.deepEqual(JSON.parse(json.stdout), load(asYaml.stdout))
    assert.equal(JSON.parse(json.stdout).version, RELEASE)
    assert.equal((await tradewind(['--version'])).stdout, `${RELEASE}\n`)
  })

  test('colours are for terminals, and NO_COLOR has none', { skip: needs('script') }, async () => {
    const path = files('colours', { 'a.yaml': yaml(manifest('ModelRoute', 'r', { rules: [] })) })
    const command = `${process.execPath} cli/main.ts validate ${path}`
    // Whoever runs the tests may have asked for no colours of their own.
    const plain = { TERM: 'xterm', CI: undefined, FORCE_COLOR: undefined, NODE_DISABLE_COLORS: undefined }
    const terminal = (env: NodeJS.ProcessEnv) =>
      runProgram('script', ['-qec', command, '/dev/null'], {
        cwd: root,
        env: { ...plain, NO_COLOR: undefined, ...env },
      })
    assert.ok((await terminal({})).stdout.includes('\u001B[31merror'))
    assert.ok(!(await terminal({ NO_COLOR: '1' })).stdout.includes('\u001B[3'))
    assert.ok(!(await tradewind(['validate', path])).stdout.includes('\u001B'))
  })
})

describe('tradewind validate', () => {
  test('says the file, line and column of each problem, over directories and standard input', async () => {
    const path = files('places', {
      'a.yaml':
        'apiVersion: tradewind.dev/v1alpha1\nkind: ModelRoute\nmetadata:\n  name: a\nspec:\n  models: [m]\n  rules:\n  - targets:\n    - endpoint: { name: e }\n      weight: -1\n',
      'b.json': JSON.stringify({ apiVersion: 'tradewind.dev/v1alpha1', kind: 'ModelRout', metadata: { name: 'b' } }),
      'c.yml': 'a: [1\n',
      'ignored.txt': 'not: [yaml',
    })
    const { stdout, stderr } = await tradewind(['validate', path])
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      `${path}/a.yaml:10:7: error: spec.rules[0].targets[0].weight: Invalid value: -1: should be greater than or equal to 0`,
      `${path}/b.json:1:40: error: kind: kind must be ModelEndpoint or ModelRoute.`,
      `${path}/c.yml:2:1: error: deficient indentation`,
    ])
    assert.equal(stderr, '2 manifests, 3 errors, 0 warnings\n')
    const piped = await tradewind(['validate', '-'], { input: 'kind: ModelRoute\n' })
    assert.match(piped.stdout, /^<stdin>:1:1: error: apiVersion: /)
    // A producer that takes its time, and does not block.
    const slow = `(sleep 0.5; echo 'kind: ModelRoute') | ${process.execPath} cli/main.ts validate -`
    assert.equal((await runProgram('bash', ['-c', slow], { cwd: root })).stdout, piped.stdout)
  })

  test('no example has anything wrong', async () => {
    const examples = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.ok(examples.length > 0)
    for (const { name } of examples) {
      const { code, stdout } = await tradewind(['validate', `examples/${name}`, '--allow-loopback'])
      assert.deepEqual([code, stdout], [0, ''], name)
    }
  })

  test('references are looked up among the manifests given; those that do not resolve are warnings', async () => {
    const endpoint = manifest('ModelEndpoint', 'e', { address: ADDRESS, models: [{ name: 'm' }, { name: 'n' }] })
    const shared = manifest('ModelEndpoint', 's', { address: ADDRESS, allowedRoutes: { namespaces: { from: 'All' } } })
    const route = (name: string, ...targets: readonly object[]) =>
      manifest('ModelRoute', name, { rules: [{ targets: targets.map((it) => ({ endpoint: it })) }] })
    const elsewhere = (object: ReturnType<typeof manifest>) => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'other' },
    })
    const input = yaml(
      endpoint,
      elsewhere(endpoint),
      elsewhere(shared),
      route('r', { name: 'e' }, { name: 'x' }, { name: 'e', model: 'z' }),
      route('t', { name: 'e', namespace: 'other', model: 'm' }, { name: 's', namespace: 'other' }),
    )
    const { code, stdout } = await tradewind(['validate', '-', '-o', 'json'], { input })
    assert.equal(code, 0)
    const { findings } = JSON.parse(stdout) as {
      findings: { severity: string; object: string; rule: string; path: string }[]
    }
    assert.deepEqual(
      findings.map(({ severity, object, rule, path }) => `${severity} ${object} ${path} ${rule}`),
      [
        'warning ModelRoute default/r spec.rules[0].targets[0].endpoint ModelNotServed',
        'warning ModelRoute default/r spec.rules[0].targets[1].endpoint EndpointNotFound',
        'warning ModelRoute default/r spec.rules[0].targets[2].endpoint ModelNotServed',
        'warning ModelRoute default/t spec.rules[0].targets[0].endpoint RefNotPermitted',
      ],
    )
  })

  test('a target that no floor lets be first is a warning: nobody has said how good it is', async () => {
    const models = [{ name: 'm', quality: { default: '0.9' } }, { name: 'n' }]
    const endpoint = manifest('ModelEndpoint', 'e', { address: ADDRESS, models })
    const targets = models.map(({ name }) => ({ endpoint: { name: 'e', model: name } }))
    const found = async (leastCost: object) => {
      const route = manifest('ModelRoute', 'r', { rules: [{ targets, strategy: { type: 'LeastCost', leastCost } }] })
      const { code, stdout } = await tradewind(['validate', '-', '-o', 'json'], { input: yaml(endpoint, route) })
      assert.equal(code, 0)
      const { findings } = JSON.parse(stdout) as { findings: { severity: string; rule: string; path: string }[] }
      return findings.map(({ severity, rule, path }) => `${severity} ${path} ${rule}`)
    }
    assert.deepEqual(await found({ floor: '0.8' }), ['warning spec.rules[0].targets[1] QualityNotStated'])
    assert.deepEqual(await found({}), [])
  })

  test('a gate that has nobody to escalate to is a warning', async () => {
    const found = async (ranks: readonly number[], gate: object = {}) => {
      const models = ranks.map((rank, i) => ({ name: `m${i}`, rank }))
      const endpoint = manifest('ModelEndpoint', 'e', { address: ADDRESS, models })
      const targets = models.map(({ name }) => ({ endpoint: { name: 'e', model: name } }))
      const route = manifest('ModelRoute', 'r', { rules: [{ targets, gate }] })
      const { code, stdout } = await tradewind(['validate', '-', '-o', 'json'], { input: yaml(endpoint, route) })
      assert.equal(code, 0)
      const { findings } = JSON.parse(stdout) as { findings: { severity: string; rule: string; path: string }[] }
      return findings.map(({ severity, rule, path }) => `${severity} ${path} ${rule}`)
    }
    assert.deepEqual(await found([1, 1]), ['warning spec.rules[0].gate NoStrongerTarget'])
    assert.deepEqual(await found([1, 2]), [])
    assert.deepEqual(await found([1, 1], { mode: 'Audit' }), [])
  })

  test('a fault that ends more than a day ahead is an error, as the cluster says, and one that has ended is none', async () => {
    const found = async (ms: number) => {
      const until = new Date(Date.now() + ms).toISOString()
      const endpoint = manifest('ModelEndpoint', 'e', { address: ADDRESS })
      const rule = { targets: [{ endpoint: { name: 'e' } }], faults: [{ type: 'Cut', until }] }
      const route = manifest('ModelRoute', 'r', { rules: [rule] })
      const { stdout } = await tradewind(['validate', '-', '-o', 'json'], { input: yaml(endpoint, route) })
      const { findings } = JSON.parse(stdout) as { findings: { severity: string; path: string }[] }
      return findings.map(({ severity, path }) => `${severity} ${path}`)
    }
    const day = 86_400_000
    assert.deepEqual(await found(day + 60_000), ['error spec.rules[0].faults[0].until'])
    assert.deepEqual(await found(day - 60_000), [])
    assert.deepEqual(await found(-day), [])
  })

  test('an audit that has no judge is a warning', async () => {
    const judge = { endpoint: { name: 'e', model: 'm0' } }
    const found = async (rest: object) => {
      const models = [0, 1].map((rank) => ({ name: `m${rank}`, rank }))
      const endpoint = manifest('ModelEndpoint', 'e', { address: ADDRESS, models })
      const targets = models.map(({ name }) => ({ endpoint: { name: 'e', model: name } }))
      const strategy = { type: 'Classifier', classifier: { artefact: { name: 'router' } } }
      const route = manifest('ModelRoute', 'r', { rules: [{ targets, strategy, ...rest }] })
      const { stdout } = await tradewind(['validate', '-', '-o', 'json'], { input: yaml(endpoint, route) })
      const { findings } = JSON.parse(stdout) as { findings: { severity: string; rule: string; path: string }[] }
      return findings.map(({ severity, rule, path }) => `${severity} ${path} ${rule}`)
    }
    assert.deepEqual(await found({ audit: {} }), ['warning spec.rules[0].audit NoJudge'])
    assert.deepEqual(await found({ audit: { judge } }), [])
    assert.deepEqual(await found({ audit: {}, gate: { judge } }), [])
    assert.deepEqual(await found({}), [])
  })

  test('lists are read item by item, other kinds are left alone, and an object that is there twice is an error', async () => {
    const items = [
      manifest('ModelEndpoint', 'e', { limits: { maxInFlight: 0 } }),
      { apiVersion: 'v1', kind: 'Secret', data: 7 },
    ]
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    const { stdout } = await tradewind(['validate', '-'], {
      input: `${list}\n---\n${yaml(manifest('ModelEndpoint', 'e'))}`,
    })
    assert.match(
      stdout,
      /^<stdin>:1:\d+: error: spec\.limits\.maxInFlight: .*\n<stdin>:3:\d+: error: metadata\.name: ModelEndpoint default\/e is also in <stdin>\.\n$/,
    )
  })

  test('URLs at this machine are errors, but for local mode', async () => {
    const local = ['http://127.0.0.1:8000', 'http://localhost', 'http://[::1]:1', 'http://x.localhost.'].map(
      (url, index) => manifest('ModelEndpoint', `e${index}`, { address: { type: 'URL', url } }),
    )
    const { code, stdout } = await tradewind(['validate', '-'], { input: yaml(...local) })
    assert.equal(code, 1)
    assert.equal(stdout.match(/spec\.address\.url: .* is this machine/g)?.length, local.length)
    assert.equal((await tradewind(['validate', '-', '--allow-loopback'], { input: yaml(...local) })).code, 0)
  })
})

describe('tradewind completion', () => {
  const words = async (line: readonly string[]): Promise<readonly string[]> => {
    const { stdout: script } = await tradewind(['completion', 'bash'])
    const ask = `${script}\nCOMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _tradewind; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, code } = await runProgram('bash', ['--norc', '-c', ask])
    assert.equal(code, 0)
    return stdout.trim().split('\n')
  }
  test('bash: commands, their options, and the values of those', async () => {
    assert.deepEqual(await words(['tradewind', 'va']), ['validate'])
    assert.deepEqual(await words(['tradewind', 'validate', '--allow']), ['--allow-loopback'])
    assert.deepEqual(await words(['tradewind', 'status', '-o', 'j']), ['json'])
    assert.deepEqual(await words(['tradewind', 'completion', 'f']), ['fish'])
    assert.deepEqual(await words(['tradewind', 'help', 'expl']), ['explain'])
    assert.deepEqual(await words(['tradewind', 'rollout', 'pr']), ['promote'])
    assert.deepEqual(await words(['tradewind', 'rollout', 'status', '--time']), ['--timeout'])
  })
  const script = async (shell: string): Promise<string> => {
    const file = join(directory, `completion.${shell}`)
    writeFileSync(file, (await tradewind(['completion', shell])).stdout)
    return file
  }
  test('fish: commands, their options, and the values of those', { skip: needs('fish') }, async () => {
    const file = await script('fish')
    const complete = async (line: string): Promise<readonly string[]> => {
      const ask = `source ${file}; complete -C '${line}'`
      const { stdout, stderr, code } = await runProgram('fish', ['--no-config', '-c', ask])
      assert.deepEqual([code, stderr], [0, ''])
      return stdout
        .trim()
        .split('\n')
        .map((word) => word.split('\t')[0] ?? '')
    }
    assert.deepEqual(await complete('tradewind va'), ['validate'])
    assert.deepEqual(await complete('tradewind validate --allow'), ['--allow-loopback'])
    assert.deepEqual(await complete('tradewind status -o j'), ['json'])
    assert.deepEqual(await complete('tradewind completion z'), ['zsh'])
    assert.deepEqual(await complete('tradewind rollout pr'), ['promote'])
  })
  test('zsh: its script reads, and defines the completion', { skip: needs('zsh') }, async () => {
    const ask = `autoload -U compinit; compinit -D; source ${await script('zsh')}; print $_comps[tradewind]`
    const { stdout, stderr, code } = await runProgram('zsh', ['-f', '-c', ask])
    assert.deepEqual([code, stderr, stdout], [0, '', '_tradewind\n'])
  })
})

describe('tradewind explain --dir', () => {
  test('compiles the manifests, and says rule, shares and reasons', async () => {
    const path = files('explained', {
      'all.yaml': yaml(
        manifest('ModelEndpoint', 'a', { address: { type: 'URL', url: 'http://127.0.0.1:1' } }),
        manifest('ModelEndpoint', 'b', { address: { type: 'URL', url: 'http://127.0.0.1:2' } }),
        manifest('ModelRoute', 'r', {
          models: ['chat'],
          rules: [
            {
              name: 'gold',
              matches: [{ headers: [{ name: 'X-Tier', value: 'gold' }] }],
              targets: [{ endpoint: { name: 'b' } }],
            },
            {
              name: 'rest',
              targets: [
                { endpoint: { name: 'a' }, weight: 3 },
                { endpoint: { name: 'b' } },
                { endpoint: { name: 'c' } },
              ],
            },
          ],
        }),
        manifest('ModelRoute', 'canary', {
          models: ['chat'],
          workloads: { selector: { matchLabels: { app: 'canary' } } },
          rules: [{ targets: [{ endpoint: { name: 'b' } }] }],
        }),
      ),
    })
    const explain = async (...args: readonly string[]) => {
      const { stdout, code } = await tradewind(['explain', '--dir', path, '-o', 'json', ...args])
      const { rule, route, targets, error } = JSON.parse(stdout) as Explanation
      return [code, route, rule, targets.map(({ target, share }) => `${target} ${share}`), error?.code]
    }
    assert.deepEqual(await explain('--model', 'chat', '--header', 'x-tier: gold'), [
      0,
      'default/r',
      'gold',
      ['default/b m 1'],
      undefined,
    ])
    assert.deepEqual(await explain('--model', 'chat'), [
      0,
      'default/r',
      'rest',
      ['default/a m 0.75', 'default/b m 0.25', 'default/c 0'],
      undefined,
    ])
    assert.deepEqual(await explain('--model', 'chat', '--label', 'app=canary'), [
      0,
      'default/canary',
      '0',
      ['default/b m 1'],
      undefined,
    ])
    assert.deepEqual(await explain('--model', 'other'), [1, undefined, undefined, [], 'model_not_found'])
    assert.deepEqual(await explain('--model', 'chat', '--namespace', 'elsewhere'), [
      1,
      undefined,
      undefined,
      [],
      'model_not_found',
    ])
    const { stdout } = await tradewind(['explain', '--dir', path, '--model', 'chat'])
    assert.match(stdout, /Rule gold does not match: header x-tier is not gold\./)
    assert.match(stdout, /75\.0 % +default\/a m +3 +0 +available +Its weight is 3 of 4\./)
    assert.match(stdout, /0 % +default\/c +1 +0 +unresolved +EndpointNotFound: /)
  })
})
