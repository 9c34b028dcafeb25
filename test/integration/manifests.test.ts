import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { load } from 'js-yaml'
import { rules } from '../../api/cel.ts'
import { kinds } from '../../api/kinds.ts'
import { parse } from '../../api/parse.ts'
import { providerTypes } from '../../core/providers/index.ts'
import { checkTypes } from '../../core/gate/checks/index.ts'
import { strategyTypes } from '../../core/strategies/index.ts'
import { Asker } from '../helpers/ask.ts'
import type { Answer } from '../helpers/ask.ts'
import { runProgram } from '../helpers/command.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { collection, manifest } from '../helpers/manifests.ts'
import type { KindName, Manifest } from '../helpers/manifests.ts'
import { needs } from '../helpers/needs.ts'
import { bounds } from '../helpers/bounds.ts'
import { urls } from '../helpers/urls.ts'

interface Case {
  readonly bad: string
  readonly kind: KindName
  readonly spec?: Readonly<Record<string, unknown>>
  readonly without?: readonly string[]
  readonly times?: { readonly field: string; readonly count: number; readonly item: unknown }
  readonly problems: Readonly<Record<string, string | readonly string[]>>
}

const text = readFileSync(join(import.meta.dirname, 'manifests.yaml'), 'utf8')
// Providers and strategies come and go by their registries alone.
const providers = providerTypes.map((type) => `"${type}"`).join(', ')
const strategies = strategyTypes.map((type) => `"${type}"`).join(', ')
const checks = checkTypes.map((type) => `"${type}"`).join(', ')
// The table is ours, and each of its fields is used below.
const table = load(
  text.replace('PROVIDERS', providers).replace('STRATEGIES', strategies).replace('CHECKS', checks),
) as readonly Case[]

const root = join(import.meta.dirname, '../..')

function manifestOf({ kind, spec, without = [], times }: Case, index: number): Manifest {
  return manifest(kind, `bad-${index}`, {
    ...spec,
    ...Object.fromEntries(without.map((field) => [field, undefined])),
    ...(times ? { [times.field]: Array.from({ length: times.count }, () => times.item) } : {}),
  })
}

/** `path: message`, in order. */
function expected({ problems }: Case): string[] {
  return Object.entries(problems)
    .flatMap(([path, messages]) => [messages].flat().map((message) => `${path}: ${message}`))
    .sort()
}

function ours(manifest: unknown): string[] {
  const parsed = parse(manifest)
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`).sort()
}

interface Refusal {
  readonly message: string
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] }
}

/** What the API server said, in the words of `Problem`: it says the path and the kind of error a second time before the message. */
function theirs({ status, body }: Answer): string[] {
  if (status < 400) return []
  const { message, details } = body as Refusal // a metav1.Status, as every refusal is
  const unknown = [...message.matchAll(/unknown field "([^"]*)"/g)].map(([, field]) => `${field}: unknown field`)
  // That rules were not checked, and that a list-map's item has no key: both follow from another error that is told.
  const causes = (details?.causes ?? []).filter(
    ({ field, message }) => field !== '<nil>' && !message.endsWith('must be an object for an array of list-type map'),
  )
  return [
    ...unknown,
    ...causes.map(({ field, message }) => {
      const plain = message
        .replace(`${field} in body `, '')
        .replace(/^Invalid value: .*? evaluating rule: /, 'evaluating rule: ')
      const [, bare] = /^Invalid value: (?:"(?:[^"\\]|\\.)*": |-?[0-9.]+: )?(.*)$/s.exec(plain) ?? []
      return `${field}: ${bare === undefined || /^should (be (greater|less|at least .* chars)|match)/.test(bare) ? plain : bare}`
    }),
  ].sort()
}

describe('bad manifests: each has its own clear message', () => {
  test('there are at least 60, no two with the same words for the same', () => {
    assert.ok(table.length >= 60, `${table.length} cases`)
    assert.equal(new Set(table.map(({ kind, bad }) => `${kind} ${bad}`)).size, table.length)
    for (const each of table) assert.ok(expected(each).length > 0, each.bad)
  })

  for (const [index, each] of table.entries())
    test(`${each.kind}: ${each.bad}`, () => assert.deepEqual(ours(manifestOf(each, index)), expected(each)))

  test('every CEL rule of both schemas is broken by one of them, and its own text is given', () => {
    const broken = new Set(
      table.flatMap((each, index) => {
        const parsed = parse(manifestOf(each, index))
        if (parsed.ok) return []
        // A rule that does not come to an end says so before its own words.
        return parsed.problems.map(({ rule, message }) => `${rule} ${message.replace(/^evaluating rule: /, '')}`)
      }),
    )
    const all = kinds.flatMap(({ spec }) =>
      [...rules(spec, 'spec')].map(([, { rule, message }]) => `${rule} ${message}`),
    )
    assert.ok(all.length > 30)
    assert.deepEqual(
      all.filter((rule) => !broken.has(rule)),
      [],
    )
  })

  test('tradewind validate says the same of all of them, and exits with 1', async () => {
    const input = table.map((each, index) => JSON.stringify(manifestOf(each, index))).join('\n---\n')
    const { code, stdout } = await runProgram(process.execPath, ['cli/main.ts', 'validate', '-', '-o', 'json'], {
      cwd: root,
      input,
    })
    assert.equal(code, 1)
    const said = new Map<string, string[]>()
    // What `-o json` prints, of which this is a part.
    const { findings } = JSON.parse(stdout) as {
      findings: { object: string; path: string; message: string; line: number }[]
    }
    for (const { object, path, message, line } of findings) {
      said.set(object, [...(said.get(object) ?? []), `${path}: ${message}`].sort())
      assert.equal(object.replace(/.*bad-/, ''), String((line - 1) / 2), 'the line is that of its manifest')
    }
    for (const [index, each] of table.entries())
      assert.deepEqual(said.get(`${each.kind} default/bad-${index}`), expected(each), each.bad)
  })
})

describe('the API server and parse', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let api: Asker
  before(async () => {
    await server().kubectl(['apply', '--server-side', '-f', join(root, 'crds')])
    await server().kubectl(['wait', '--for', 'condition=Established', '--timeout', '30s', '-f', join(root, 'crds')])
    api = new Asker(server())
  })
  after(() => api.close())
  const create = (it: Manifest) => api.ask('POST', `${collection(it.kind)}?fieldValidation=Strict&dryRun=All`, it)

  test('say the same of every bad manifest', async () => {
    for (const [index, each] of table.entries())
      assert.deepEqual(theirs(await create(manifestOf(each, index))), expected(each), `${each.kind}: ${each.bad}`)
  })

  test('say the same of every field of another type, out of each bound, or not of its list', async () => {
    let cases = 0
    for (const { kind, spec } of kinds)
      for (const { what, spec: bad } of bounds(spec)) {
        const it = manifest(kind, 'bound', bad)
        const [said, found] = [theirs(await create(it)), ours(it)]
        assert.deepEqual(found, said, what)
        assert.ok(said.length > 0, `${what} is refused`)
        cases++
      }
    assert.ok(cases > 200, `${cases} cases`)
  })

  test('say the same of any URL', async () => {
    const property = fc.asyncProperty(urls, async (url) => {
      const it = manifest('ModelEndpoint', 'url', { address: { type: 'URL', url }, proxy: { url } })
      assert.deepEqual(ours(it), theirs(await create(it)))
    })
    // Text that is a path to one of the API server's two parsers of URLs, and an authority to the other.
    await fc.assert(property, { numRuns: 500, examples: [['//me@[1:0'], ['//a'], ['//[']] })
  })

  test('make the same of good manifests: what is stored is what is parsed, with every default, and parses to itself', async () => {
    for (const { kind, spec } of good) {
      const it = manifest(kind, 'good', spec)
      const { status, body } = await api.ask('POST', `${collection(kind)}?fieldValidation=Strict&dryRun=All`, it)
      assert.equal(status, 201, JSON.stringify(body))
      const [written, stored] = [parse(it), parse(body)]
      assert.ok(written.ok && stored.ok, JSON.stringify(written))
      assert.deepEqual(written.object.spec, (body as Manifest).spec) // the object, since it was created
      assert.deepEqual(stored.object.spec, written.object.spec)
    }
  })

  test('kubectl explains every field, and lists both kinds by category and short name', async () => {
    for (const { kind, plural, shortNames, description, spec } of kinds) {
      const text = await server().kubectl(['explain', plural, '--recursive'])
      assert.ok(text.replaceAll(/\s+/g, ' ').includes(description))
      for (const name of Object.keys(spec.properties ?? {})) assert.match(text, new RegExp(`^ +${name}\t<`, 'm'))
      assert.match(await server().kubectl(['explain', `${plural}.spec`]), new RegExp(`KIND: +${kind}`))
      assert.equal(await server().kubectl(['get', shortNames[0] ?? '', '-A', '-o', 'name']), '')
    }
    assert.equal(await server().kubectl(['get', 'tradewind', '-A', '-o', 'name']), '')
  })
})

/** Good manifests that between them leave out, and give, every block. */
const good: readonly { readonly kind: KindName; readonly spec: Readonly<Record<string, unknown>> }[] = [
  { kind: 'ModelEndpoint', spec: {} },
  {
    kind: 'ModelEndpoint',
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'Service', service: { name: 'vllm', port: 8000 } },
      credentials: { type: 'Secret', secret: { name: 'key' } },
      tls: { ca: { name: 'ca' }, clientCertificate: { name: 'client' }, serverName: 'llm.internal' },
      headers: { set: { 'X-Team': 'search' }, remove: ['cookie'] },
      proxy: { url: 'http://proxy.corp:3128' },
      limits: { maxInFlight: 64 },
      models: [
        { name: 'a', parameters: { defaults: { temperature: 0, stop: null }, force: { a: { b: [1, null] } } } },
        { name: 'b', rank: 3 },
      ],
      timeouts: { idle: '1m30s', connect: null },
      health: { active: { path: '/health' } },
      circuitBreaker: { ratio: { percent: 10 }, rampUp: [100] },
      retryBudget: { percent: 0 },
      allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } },
      allowCredentialUse: {},
    },
  },
  {
    kind: 'ModelEndpoint',
    spec: {
      provider: { type: 'HTTP' },
      models: undefined,
      address: { type: 'Pods', pods: { port: 1, selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } } },
      credentials: { type: 'Passthrough', secret: null },
      allowedRoutes: { namespaces: {} },
      circuitBreaker: {},
    },
  },
  ...[
    'https://api.example.com/v1',
    'HTTP://[2001:db8::1]:8080',
    'http://10.0.0.1:1/',
    'http://a_b.c-d./%41',
    'http://127.0.0.1',
  ].map((url) => ({ kind: 'ModelEndpoint' as const, spec: { address: { type: 'URL', url } } })),
  { kind: 'ModelRoute', spec: {} },
  {
    kind: 'ModelRoute',
    spec: {
      workloads: { selector: { matchLabels: { app: 'a' } } },
      models: ['a', '*'],
      timeouts: { request: '1h' },
      rules: [
        {
          name: 'first',
          matches: [{ model: 'gpt-*', headers: [{ name: 'x', value: 'y' }], path: { value: '/v1' } }],
          targets: [{ endpoint: { name: 'a', namespace: 'b', model: 'c' }, weight: 0, priority: 2 }],
          sticky: { header: 'x-user' },
          retry: { attempts: 0 },
          fallback: { when: [] },
        },
        {
          targets: [{ endpoint: { name: 'a' } }, { endpoint: { name: 'a', model: 'b' } }],
          strategy: {},
          retry: { when: ['Timeout'] },
        },
      ],
    },
  },
  {
    kind: 'ModelRoute',
    spec: {
      models: undefined,
      rules: [{ matches: [{ path: { type: 'Exact', value: '/x' } }], targets: [{ endpoint: { name: 'a' } }] }],
    },
  },
]
