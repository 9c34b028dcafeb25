import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Session } from 'node:inspector/promises'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { Bytes } from '../../core/bytes.ts'
import type { Call, Receiver } from '../../core/deps.ts'
import { Exchange } from '../../core/exchange.ts'
import { surfaceOf } from '../../core/surfaces/index.ts'
import type { Address } from '../../core/target.ts'
import { DataPath } from '../../sidecar/data-path.ts'
import { Journal } from '../../sidecar/decisions/journal.ts'
import { newFacts, readDoor } from '../../sidecar/door.ts'
import type { Gauges } from '../../sidecar/gauges.ts'
import { Log } from '../../sidecar/log.ts'
import { SidecarTelemetry } from '../../sidecar/telemetry.ts'
import { PassThroughProxy } from '../../sidecar/upgrade.ts'
import { compiled, endpoint, route, rule, target } from '../helpers/data-path.ts'

const FLOOD = 100_000
/** Near requests are looked for among those that were rated, which takes its time. */
const NEAR_FLOOD = 5000
/** No list, map or set of ours may grow beyond this, whatever callers and providers make up. */
const LARGEST = 25_000
/** Nor may there be more lines of metrics than this over two rules with two targets each. */
const SERIES = 600

const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  }),
)

/** Answers at once, without a connection, with headers of its own making. */
function answering(address: Address, headers: () => readonly string[]): void {
  const call = (_: Call, receiver: Receiver) => {
    queueMicrotask(() => {
      receiver.sent()
      receiver.head(200, ['content-type', 'application/json', ...headers()])
      receiver.data(ANSWER)
      receiver.ended()
    })
    return { resume() {}, abort() {} }
  }
  Object.assign(address, { call })
}

/** A sidecar's request path and telemetry, with a rule for each of two models; `ask` takes a request as the door does. */
async function sidecar(t: TestContext, rest: Partial<CompiledRule>) {
  const log = new Log('silent')
  const journal = new Journal({ settings: { to: ['memory'], file: undefined }, log, random: Math.random })
  const gauges = (): Gauges => ({
    endpoints: path.configuration.runtime?.endpoints ?? new Map(),
    routes: new Map([['ai/chat', 1]]),
    digest: 'd',
    age: 1,
    artefacts: [],
    faults: [],
    connected: true,
    linesDropped: 0,
    decisionsDropped: new Map(),
  })
  const telemetry: SidecarTelemetry = new SidecarTelemetry({ log, random: () => 1, gauges, journal })
  const path: DataPath = new DataPath({
    telemetry,
    passThrough: (deps) => new PassThroughProxy(deps),
    bodyLimit: 1_000_000,
    environment: {},
  })
  t.after(() => path.drain())
  const price = { input: '1', output: '1' }
  const any = { name: '*', defaults: {}, force: {}, priceLists: [{ match: { contains: '' }, prices: [{ price }] }] }
  const targets = [target('a', { model: '*' }), target('b', { model: '*' })]
  const problems = path.configuration.apply(
    compiled({
      routes: [
        route('chat', [rule(targets, { sticky: { header: 'x-conversation' }, ...rest })], {
          models: ['*'],
          caller: { tier: { header: 'x-tier', default: 'none' } },
        }),
      ],
      endpoints: ['a', 'b'].map((name, rank) =>
        endpoint(name, 'http://127.0.0.1:9/v1', {
          models: [{ ...any, rank, quality: { default: '0.9' }, capabilities: { contextWindow: 100_000 } }],
        }),
      ),
    }),
  )
  assert.deepEqual(problems, [])
  let headers: readonly string[] = []
  for (const { addresses } of path.configuration.runtime?.endpoints.values() ?? [])
    for (const address of addresses) answering(address, () => headers)
  const ask = async (to: string, sent: readonly string[], body: object) => {
    const place = surfaceOf(to)
    assert.ok(place)
    const { surface, found } = place
    const incoming = {
      surface,
      found,
      method: 'POST',
      query: '',
      headers: sent,
      body: new Bytes([Buffer.from(JSON.stringify(body))]),
    }
    const facts = newFacts(incoming, readDoor(sent), path.deps.now(), path.deps.wall())
    return path.configuration.runtime?.handle(new Exchange(incoming, facts))
  }
  return { ask, telemetry, path, say: (next: readonly string[]) => (headers = next) }
}

/** The sizes of the largest lists, maps and sets that are alive in this process, however private they are. */
async function largest(): Promise<Readonly<Record<string, number>>> {
  const session = new Session()
  session.connect()
  try {
    const sizes: Record<string, number> = {}
    for (const [kind, size] of [
      ['Map', 'size'],
      ['Set', 'size'],
      ['Array', 'length'],
    ] as const) {
      const prototype = await session.post('Runtime.evaluate', { expression: `${kind}.prototype` })
      assert.ok(prototype.result.objectId)
      const all = await session.post('Runtime.queryObjects', { prototypeObjectId: prototype.result.objectId })
      const most = await session.post('Runtime.callFunctionOn', {
        objectId: all.objects.objectId,
        functionDeclaration: `function () { let most = 0; for (const it of this) { try { most = Math.max(most, it.${size}) } catch {} } return most }`,
        returnByValue: true,
      })
      sizes[kind] = most.result.value as number // as the function returns it
    }
    return sizes
  } finally {
    session.disconnect()
  }
}

const BANDIT = {
  algorithm: 'EpsilonGreedy',
  lambda: '0.5',
  halfLife: 10_000,
  explore: { spendPercent: 5, leastPercent: 1, epsilonPercent: 5, firstRewards: 10, exceptTiers: [] },
} as const

/** A text that is like no other. */
const question = (i: number): string =>
  createHash('sha256')
    .update(`${i}`)
    .digest('hex')
    .replaceAll(/(....)/g, '$1 ')
    .trim()

const FEEDBACK = {
  within: 3_600_000,
  halfLife: 3_600_000,
  bar: '0.5',
  similar: ['Text', 'Conversation', 'Task'],
  nearness: '0.8',
  implicit: ['Repeat', 'Correction'],
} as const

describe('bounds: what callers and providers make up, 100,000 times over, fills neither memory nor metrics', () => {
  for (const [what, flood, rest] of [
    ['least cost, sticky, feedback', FLOOD, { strategy: { type: 'LeastCost', settings: {} }, feedback: FEEDBACK }],
    ['feedback to near requests', NEAR_FLOOD, { feedback: { ...FEEDBACK, similar: ['Near'] } }],
    ['a bandit', FLOOD, { strategy: { type: 'Bandit', settings: BANDIT } }],
  ] as const)
    test(`tiers, tasks, conversations, ids, models, ratings and limits, with ${what}`, async (t) => {
      const { ask, telemetry, say } = await sidecar(t, rest)
      let answered = 0
      let rated = 0
      for (let i = 0; i < flood; i++) {
        say([`x-ratelimit-limit-kind-${i}`, '100', `x-ratelimit-remaining-kind-${i}`, '99'])
        const reply = await ask(
          '/v1/chat/completions',
          [
            'x-request-id',
            `id-${i}`,
            'x-tier',
            `tier-${i}`,
            'x-tradewind-task',
            `task-${i}`,
            'x-conversation',
            `c-${i}`,
            'user-agent',
            `agent-${i}`,
          ],
          { model: `model-${i}`, messages: [{ role: 'user', content: question(i) }], user: `user-${i}` },
        )
        if (reply?.status === 200) answered++
        if (i % 2 === 0) continue
        // Of each second answer something is said; and ids are guessed that nobody has had.
        const said = await ask('/v1/feedback', [], { request_id: `id-${i}`, rating: 'bad', label: `label-${i}` })
        if (said?.status === 200) rated++
        await ask('/v1/feedback', [], { request_id: `guessed-${i}`, rating: 'good' })
      }
      assert.deepEqual([answered, rated], [flood, flood / 2])
      for (const [kind, size] of Object.entries(await largest()))
        assert.ok(size <= LARGEST, `a ${kind} has ${size} entries`)
      const lines = (await telemetry.exposed()).split('\n').filter((line) => /^(tradewind|gen_ai)_/.test(line))
      assert.ok(lines.length > 20 && lines.length < SERIES, `${lines.length} lines of metrics`)
      assert.doesNotMatch(lines.join('\n'), /(model|tier|task|user|agent|label)-\d|\bc-\d/)
    })
})
