import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Counter } from '../../core/evidence/counter.ts'
import { seeded } from '../../core/learning/random.ts'
import { advance } from '../../core/rollout/advance.ts'
import { inForce } from '../../core/rollout/in-force.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import { versionOf } from '../../core/rollout/state.ts'
import type { State } from '../../core/rollout/state.ts'
import { planOf } from '../../operator/rollout/plan.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, compiledOf, sidecar, to, world } from './setting.ts'
import type { Setting } from './setting.ts'

const steps = [{ weight: 10 }, { weight: 50 }, { weight: 100 }]
const errors = (margin: string, rest: object = {}) => ({ metric: 'ErrorRate', margin, ...rest })

interface Life {
  /** Requests a second, and how many of them the canary fails and cuts off; the stable target does neither. */
  readonly perSecond?: number
  readonly fails?: number
  readonly cuts?: number
  /** How long it is looked at, s. */
  readonly seconds?: number
  /** What the manifest says from the moment on that it was rolled back. */
  readonly afterwards?: object
}

/** A rollout as the manifest has it, compiled, and moved second by second by what its requests come to. */
function lived(rollout: object, { perSecond = 100, fails = 0, cuts = 0, seconds = 600, afterwards }: Life = {}) {
  const random = seeded(7)
  const states: State[] = []
  let known = { version: '', canary: new Counter(), stable: new Counter() }
  let said: object = {
    canary: { name: 'new' },
    dwell: '1s',
    samples: 50,
    guardrails: [errors('0.1')],
    steps,
    ...rollout,
  }
  let seen = seenBy(said, undefined)
  for (let second = 0; second < seconds; second++) {
    const before = states.at(-1)
    const version = before ? versionOf(before) : ''
    const edit = before?.phase === 'RolledBack' ? afterwards : undefined
    if (edit) said = { ...said, ...edit }
    if (before && (edit || known.version !== version)) {
      seen = seenBy(said, inForce('0', before))
      known = { version, canary: new Counter(), stable: new Counter() }
    }
    for (let i = 0; i < perSecond; i++) {
      const arm = random() < seen.share ? 'canary' : 'stable'
      const bad = (rate: number) => arm === 'canary' && random() < rate
      known[arm].add({ error: bad(fails), truncated: bad(cuts), latency: 20 })
    }
    const { state } = advance(seen.plan, before, {
      now: 1e12 + 1000 * second,
      of: 'uid 0',
      totals: perSecond > 0 ? known : undefined,
      sidecars: { inForce: before !== undefined, connected: 1, behind: [] },
      canary: {},
      open: { canary: 0, stable: 0 },
    })
    states.push(state)
    if (state.phase === 'Promoted' || (state.phase === 'RolledBack' && !afterwards)) break
  }
  const last = states.at(-1)
  assert.ok(last)
  /** How long it was so, s. */
  const lasted = (holds: (state: State) => boolean) => states.filter(holds).length
  return {
    states,
    last,
    lasted,

    rolledBack: lasted(({ phase }) => phase !== 'RolledBack' && phase !== 'RollingBack'),
  }
}

/** What becomes of a manifest once something was decided: its plan, and the canary's share of the first priority. */
function seenBy(rollout: object, decided: InForce | undefined) {
  const setting: Setting = {
    endpoints: { old: at('http://old.example'), new: at('http://new.example'), newer: at('http://newer.example') },
    routes: { chat: chat([to('old'), to('new'), to('newer', { weight: 0 })], { rollout }) },
    rollouts: decided ? { chat: [decided] } : {},
  }
  const rule = world(setting).routes.get('ai/chat')?.spec.rules[0]
  const compiled = compiledOf(setting).routes.get('ai/chat')?.body.rules[0]
  const planned = rule && compiled && planOf(rule, compiled, 'ai')
  assert.ok(planned)
  const first = compiled.targets.filter(({ priority }) => priority === 0)
  const canary = first.find(({ endpoint }) => endpoint === planned.targets[0]?.endpoint)
  return { plan: planned.plan, share: (canary?.weight ?? 0) / sum(first.map(({ weight }) => weight)) }
}

const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0)
const half = (state: State) => state.weight === 50

/** A real sidecar with a rollout, and who answers its requests and why. */
async function served(
  t: TestContext,
  rollout: object,
  decided: readonly InForce[],
  headers: Readonly<Record<string, string>> = {},
) {
  const [a, b, c] = await upstreams(t, {}, {}, {})
  const models = { models: [{ name: 'm' }, { name: 'other' }] }
  const open = { allowedRoutes: { namespaces: { from: 'All' } }, ...models }
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, models), b: at(b.url), 'elsewhere/a': at(c.url, open) },
    routes: {
      chat: chat(
        [
          { endpoint: { name: 'a', model: 'm' } },
          { endpoint: { name: 'a', model: 'other' } },
          { endpoint: { name: 'b' } },
          { endpoint: { name: 'a', namespace: 'elsewhere', model: 'm' } },
        ],
        { rollout },
      ),
    },
    rollouts: { chat: decided },
  })
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask({ headers })))
  return answers.map(({ endpoint, model, reason }) => ({ by: `${endpoint} ${model}`, reason }))
}

/** Who gets no request, while nothing is decided: the canary. */
async function without(t: TestContext, canary: object): Promise<readonly string[]> {
  const seen = new Set((await served(t, { canary }, [])).map(({ by }) => by))
  return ['a m', 'a other', 'b m', 'elsewhere/a m'].filter((by) => !seen.has(by))
}

const decided: InForce = { rule: '0', canary: 'ai/b', version: 'v', weight: 1, gathers: true }
/** Whether requests with that header go to the canary for being of the cohort. */
async function pinned(t: TestContext, header: object, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const all = await served(t, { canary: { name: 'b' }, cohort: { headers: [header] } }, [decided], headers)
  return all.every(({ by, reason }) => by === 'b m' && reason === 'pinned')
}

const PATH = 'ModelRoute spec.rules[].rollout'

export const rollout: Coverage = {
  [`${PATH}.canary.name`]: async (t) => {
    assert.deepEqual(await without(t, { name: 'b' }), ['b m'])
    assert.deepEqual(await without(t, { name: 'a', model: 'm' }), ['a m'])
  },
  [`${PATH}.canary.model`]: async (t) => {
    assert.deepEqual(await without(t, { name: 'a', model: 'other' }), ['a other'])
  },
  [`${PATH}.canary.namespace`]: async (t) => {
    assert.deepEqual(await without(t, { name: 'a', namespace: 'elsewhere', model: 'm' }), ['elsewhere/a m'])
  },
  [`${PATH}.steps[].weight`]: async () => {
    const weights = (rollout: object) => [...new Set(lived(rollout).states.map(({ weight }) => weight))]
    assert.deepEqual(weights({}), [0, 10, 50, 100])
    assert.deepEqual(weights({ steps: [{ weight: 30 }, { weight: 100 }] }), [0, 30, 100])
  },
  [`${PATH}.steps[].dwell`]: async () => {
    const slow = lived({ steps: [{ weight: 10 }, { weight: 50, dwell: '200s' }, { weight: 100 }] })
    assert.ok(slow.lasted(half) >= 200 && lived({}).lasted(half) < 100)
  },
  [`${PATH}.dwell`]: async () => {
    assert.ok(lived({ dwell: '150s' }).lasted(half) >= 150)
    assert.ok(lived({ dwell: '0s' }).lasted(half) < 100)
  },
  [`${PATH}.steps[].samples`]: async () => {
    const many = lived({ steps: [{ weight: 10 }, { weight: 50, samples: 8000 }, { weight: 100 }] })
    assert.ok(many.lasted(half) >= 160 && lived({}).lasted(half) < 100)
  },
  [`${PATH}.samples`]: async () => {
    const asked = (samples: number) =>
      lived({ samples, steps: steps.slice(1) })
        .states.filter(half)
        .at(-1)?.seen.canary ?? 0
    assert.ok(asked(6000) >= 5900 && asked(10) < 5000, `${asked(6000)} ${asked(10)}`)
  },
  [`${PATH}.steps[].manual`]: async () => {
    const { last } = lived({ steps: [{ weight: 10 }, { weight: 50, manual: true }, { weight: 100 }] })
    assert.deepEqual([last.phase, last.reason, last.weight], ['Paused', 'ManualGate', 10])
    assert.equal(lived({}).last.phase, 'Promoted')
  },
  [`${PATH}.guardrails[].metric`]: async () => {
    const cut = (metric: string) => lived({ guardrails: [{ metric, margin: '0.1' }] }, { cuts: 0.5 }).last.phase
    assert.equal(cut('Truncations'), 'RolledBack')
    assert.equal(cut('ErrorRate'), 'Promoted')
  },
  [`${PATH}.guardrails[].margin`]: async () => {
    const end = (margin: string) => lived({ guardrails: [errors(margin)] }, { fails: 0.2, seconds: 900 }).last.phase
    assert.equal(end('0.05'), 'RolledBack')
    assert.equal(end('0.4'), 'Promoted')
  },
  [`${PATH}.guardrails[].share`]: async () => {
    const until = (share: number) =>
      lived(
        { guardrails: [errors('0.05', { share }), { metric: 'Refusals', margin: '0.1', share: 101 - share }] },
        { fails: 0.3 },
      ).rolledBack
    assert.ok(until(1) > until(100), `${until(1)} ${until(100)}`)
  },
  [`${PATH}.alpha`]: async () => {
    const until = (alpha: string) => lived({ alpha, guardrails: [errors('0.05')] }, { fails: 0.3 }).rolledBack
    assert.ok(until('0.0001') > until('0.5'), `${until('0.0001')} ${until('0.5')}`)
  },
  [`${PATH}.maxDuration`]: async () => {
    const end = (rollout: object) => lived(rollout, { perSecond: 0 }).last
    assert.equal(end({ maxDuration: '5m' }).reason, 'DeadlineExceeded')
    assert.equal(end({}).reason, 'NoData')
  },
  [`${PATH}.cooldown`]: async () => {
    const next = (cooldown: string) => {
      const { states } = lived({ cooldown }, { fails: 0.5, afterwards: { canary: { name: 'newer' } } })
      const back = states.findIndex(({ phase }) => phase === 'RolledBack')
      return states.slice(back).findIndex(({ weight }) => weight > 0)
    }
    assert.ok(next('4m') >= 240)
    assert.ok(next('0s') < 10)
  },
  [`${PATH}.cohort.headers[].name`]: async (t) => {
    assert.ok(await pinned(t, { name: 'X-Staff', value: 'yes' }, { 'x-staff': 'yes' }))
    assert.ok(!(await pinned(t, { name: 'X-Other', value: 'yes' }, { 'x-staff': 'yes' })))
  },
  [`${PATH}.cohort.headers[].value`]: async (t) => {
    assert.ok(!(await pinned(t, { name: 'x-staff', value: 'yes' }, { 'x-staff': 'no' })))
  },
}
