import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { CompiledResource, ResourceKey } from '../../api/compiled.ts'
import { CAPABILITIES, PROTOCOL } from '../../api/protocol.ts'
import type { FromOperator, FromSidecar } from '../../api/protocol.ts'
import { RELEASE } from '../../api/release.ts'
import { readMessage } from '../../operator/push/messages.ts'
import { digestOf, Follower } from '../../sidecar/follower.ts'
import { compiled, dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'

// What each release says on the wire, so that a later operator and sidecar still understand it. UPDATE=1 writes that of the release that is
// being made; those of releases that are out stay as they are.
const folder = join(import.meta.dirname, '../golden/wire')

interface Wire {
  readonly fromSidecar: readonly FromSidecar[]
  readonly fromOperator: readonly FromOperator[]
}

function now(): Wire {
  const config = compiled({
    endpoints: [
      endpoint('a', 'http://127.0.0.1:1/v1', {
        credentials: { type: 'Secret', secret: { secret: 'ai/key:api-key', key: 'api-key' } },
        headers: { set: { 'x-team': 'ai' }, remove: ['x-debug'] },
        maxInFlight: 8,
        health: { path: '/health', interval: 60_000, timeout: 1000, unhealthyAfter: 2, healthyAfter: 1 },
      }),
      endpoint('b', 'http://b.ai.svc:80/v1', {
        dynamic: true,
        models: [{ name: 'm', rank: 1, defaults: { temperature: 0 }, force: {} }],
      }),
      endpoint('c', 'http://127.0.0.1:2', {
        provider: { type: 'HTTP' },
        models: [{ name: '', rank: 0, defaults: {}, force: {} }],
      }),
    ],
    addresses: { 'ai/b': { addresses: [{ host: '127.0.0.1', port: 3 }] } },
    secrets: { 'ai/key:api-key': { data: { 'api-key': 'not a key' } } },
    routes: [
      route('chat', [
        rule([target('a', { weight: 9 })], {
          name: 'some',
          matches: [
            { model: { value: 'ch', prefix: true }, headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] },
          ],
          sticky: { header: 'x-conversation' },
          strategy: { type: 'LeastLatency' },
        }),
        rule([
          target('a'),
          target('b', { model: 'm', priority: 1, unavailable: { reason: 'EndpointNotFound', message: 'It is gone.' } }),
        ]),
      ]),
      route(
        'opaque',
        [
          rule([{ endpoint: 'ai/c', model: '', weight: 1, priority: 0 }], {
            matches: [{ headers: [], path: { type: 'Prefix', value: '/v2' } }],
          }),
        ],
        { models: [] },
      ),
    ],
    artefacts: { 'ai/router': { artefact: 'AAAA' } },
  })
  const digest = digestOf(config)
  const set = Object.fromEntries(config) as Record<ResourceKey, CompiledResource> // its keys are such
  const have = Object.fromEntries([...config].map(([key, it]) => [key, it.digest])) as Record<ResourceKey, string> // as above
  const learner = { route: 'ai/chat', rule: 'some', form: 'mean 350' }
  const evidence = { arm: 'ai/a a-model', count: 3, weight: 2.5, clock: 4, numbers: 'AAAgQAAAAEA=' }
  const gathering = { route: 'ai/chat', rule: 'some', version: '9f2c41d0.1.0' }
  const tally = {
    ...{ arm: 'ai/a a-model', n: 3, errors: 1, truncations: 0, refusals: 0, escalations: 0 },
    ...{ cost: [3, 0.5, 0.1], quality: [1, 0.5, 0.25], size: [0, 0, 0] },
    ...{ latency: [230, 2, 1, 1], firstToken: [] },
  }
  const gone = { version: 3, covers: [['p1', 4]], arms: [tally] } as const
  return {
    fromOperator: [
      { type: 'update', nonce: 1, set, remove: [], digest },
      { type: 'check', digest },
      { type: 'merged', ...learner, epoch: 'e1', seq: 7, closed: false, peers: 2, arms: [evidence] },
      { type: 'carry', ...learner, base: { version: 3, covers: [['p1', 4]], arms: [evidence] } },
      {
        type: 'counted',
        rules: [{ ...gathering, epoch: 'e1', seq: 7, closed: false, base: gone }],
        every: 1000,
      },
      { type: 'retell' },
    ],
    fromSidecar: [
      { type: 'hello', protocol: PROTOCOL, version: RELEASE, capabilities: CAPABILITIES, have },
      { type: 'ack', nonce: 1, digest },
      {
        type: 'nack',
        nonce: 1,
        digest,
        errors: [{ resource: 'route/ai/chat', path: '/rules/0', message: 'It cannot be done.' }],
      },
      { type: 'auth', token: 'a.b.c' },
      { type: 'check', digest },
      {
        type: 'report',
        window: 5000,
        targets: [
          {
            route: 'ai/chat',
            rule: 'some',
            endpoint: 'ai/a',
            model: 'a-model',
            requests: 3,
            errors: 1,
            cost: 1_500_000,
            latency: [230, 2, 1, 1],
          },
        ],
        models: [{ endpoint: 'ai/a', model: 'a-model', state: 'half-open', healthy: true }],
        promises: [
          {
            ...{ route: 'ai/chat', rule: 'some', segment: '*', audits: 80 },
            alarm: { from: 0.5, to: 0.7, evidence: 21.5, audits: 77 },
          },
        ],
        age: 12_000,
      },
      {
        type: 'learned',
        rules: [
          {
            ...{ ...learner, epoch: 'e1', seq: 7, arms: [evidence] },
            base: { version: 3, covers: [['p1', 4]], arms: [evidence] },
          },
        ],
      },
      { type: 'evidence', rules: [{ ...gathering, epoch: 'e1', seq: 7, arms: [tally], base: gone }] },
    ],
  }
}

const current = join(folder, `${RELEASE}.json`)
if (process.env['UPDATE']) writeFileSync(current, `${JSON.stringify(now(), null, 2)}\n`)

test('wire: what this build says is written down', () => {
  assert.deepEqual(JSON.parse(readFileSync(current, 'utf8')), JSON.parse(JSON.stringify(now())))
})

for (const file of globSync('*.json', { cwd: folder }).sort()) {
  const wire = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Wire // as it was written above, by this release or an older one
  for (const message of wire.fromSidecar)
    test(`wire: the operator understands ${message.type} of ${file}, and what a later one adds`, () => {
      assert.deepEqual(readMessage(JSON.stringify(message)), message)
      assert.ok(readMessage(JSON.stringify({ ...message, later: { much: true } })))
    })

  test(`wire: the sidecar puts the update of ${file} in force`, async (t) => {
    const { path } = await dataPath(t)
    const said: FromSidecar[] = []
    const follower = new Follower({ apply: (config) => path.configuration.apply(config), wall: Date.now })
    follower.open((text) => void said.push(JSON.parse(text)))
    for (const message of wire.fromOperator) follower.hear(JSON.stringify(message))
    follower.hear('{"type":"grant","later":1}')
    assert.deepEqual(said.slice(1), [wire.fromSidecar.find(({ type }) => type === 'ack')])
  })
}

test('wire: the sidecar takes what a later operator adds to a resource; what it must not do without, a capability asks for', async (t) => {
  const { path } = await dataPath(t)
  const [update] = now().fromOperator
  assert.equal(update?.type, 'update')
  if (update?.type !== 'update') return
  const later = Object.entries(update.set).map(([key, { digest, body }]) => {
    const added = 'rules' in body ? { rules: body.rules.map((it) => ({ ...it, later: {} })) } : {}
    return [key as ResourceKey, { digest, body: { ...body, ...added, later: 1 } }] as const // a key of `set`
  })
  assert.deepEqual(path.configuration.apply(new Map(later)), [])
})

for (const [title, text] of [
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no type', '{}'],
  ['a hello without what it has', '{"type":"hello","protocol":1,"version":"1","capabilities":[]}'],
  [
    'a key of no kind',
    '{"type":"hello","protocol":1,"version":"1","capabilities":[],"have":{"pod/a/b":"00000000000000000000000000000000"}}',
  ],
  ['a digest that is none', '{"type":"check","digest":"x"}'],
  [
    'a count below 0',
    '{"type":"report","window":1,"age":0,"models":[],"targets":[{"route":"a","rule":"b","endpoint":"c","model":"d","requests":-1,"errors":0}]}',
  ],
] as const)
  test(`wire: ${title} is no message`, () => assert.throws(() => readMessage(text)))

test('wire: a type that is not known is passed over', () => assert.equal(readMessage('{"type":"later"}'), undefined))
