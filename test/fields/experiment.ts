import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ModelRoute } from '../../api/model-route.ts'
import { parse } from '../../api/parse.ts'
import { API_VERSION } from '../../api/resource.ts'
import { Counter } from '../../core/evidence/counter.ts'
import { advance } from '../../core/experiment/advance.ts'
import type { State } from '../../core/experiment/advance.ts'
import { analyse } from '../../core/experiment/analysis.ts'
import { CLUSTERS } from '../../core/experiment/assignment.ts'
import { seeded } from '../../core/learning/random.ts'
import { assignedTo, experimentVersion } from '../../operator/compile/experiment.ts'
import { designOf } from '../../operator/experiment/plan.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

const arms = [
  { name: 'control', endpoint: { name: 'a' } },
  { name: 'treatment', endpoint: { name: 'b' } },
]
const plain = { name: 'test', unit: { header: 'x-user' }, arms, metrics: [{ metric: 'Cost', primary: true }] }
const USERS = 60

/** The arm of each of 60 users, and of those who are of none what they get without the header. */
async function assigned(t: TestContext, experiment: object, { header = 'x-user', targets = [to('a'), to('b')] } = {}) {
  const [a, b] = await upstreams(t, {}, {})
  const { ask } = await sidecar(t, {
    endpoints: {
      a: at(a.url),
      b: at(b.url),
      c: at(b.url, { models: [{ name: 'm' }, { name: 'n' }] }),
      'other/b': at(b.url, { allowedRoutes: { namespaces: { from: 'All' } } }),
    },
    routes: { chat: chat(targets, { experiment: { ...plain, ...experiment } }) },
  })
  const answers = []
  for (let user = 0; user < USERS; user++) answers.push(await ask({ headers: { [header]: `user-${user}` } }))
  return answers
}
const experiments = (answers: readonly { readonly experiment: string }[]) => answers.map(({ experiment }) => experiment)
const count = (answers: readonly { readonly experiment: string }[], experiment: string) =>
  experiments(answers).filter((it) => it === experiment).length

/** What a route's experiment is, as the API server would have it. */
function spec(experiment: object) {
  const result = parse({
    apiVersion: API_VERSION,
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'ai', generation: 1 },
    spec: chat([to('a'), to('b')], { experiment: { ...plain, ...experiment } }),
  })
  assert.ok(result.ok, JSON.stringify(result))
  const [rule] = (result.object as ModelRoute).spec.rules // of that kind
  assert.ok(rule?.experiment)
  return { ...rule, experiment: rule.experiment }
}

interface Truth {
  readonly cost?: number
  readonly errors?: number
}

/** Where an experiment is after so many requests of each arm, of which the treatment is like that; after `elapsed` ms. */
function after(experiment: object, truth: Truth, { n = 3000, elapsed = 1000 } = {}): State {
  const design = designOf(spec({ unit: undefined, samples: 1000, ...experiment }).experiment)
  const random = seeded(1)
  const one = (counters: readonly Counter[], { cost = 1, errors = 0.1 }: Truth) =>
    counters[Math.floor(random() * CLUSTERS)]?.add({ cost: cost * (0.5 + random()), error: random() < errors })
  const evidence = new Map(design.arms.map(({ name }) => [name, Array.from({ length: CLUSTERS }, () => new Counter())]))
  for (let i = 0; i < n; i++) {
    one(evidence.get('control') ?? [], {})
    one(evidence.get('treatment') ?? [], truth)
  }
  const input = { version: 'v', held: undefined, analysis: analyse(design, evidence) }
  const begun = advance(design, undefined, { ...input, now: 0, analysis: analyse(design, new Map()) })
  return advance(design, begun, { ...input, now: elapsed })
}
const ended = ({ decision, reason }: State) => `${decision ?? 'Running'} ${reason}`

/** Each experiment comes to what stands beside it. */
const each = (truth: Truth, cases: readonly (readonly [experiment: object, end: string])[], options = {}) => {
  for (const [experiment, end] of cases) assert.equal(ended(after(experiment, truth, options)), end)
}
const cost = { metric: 'Cost', primary: true }
const errors = { metric: 'ErrorRate', primary: true }

export const experiment: Coverage = {
  'ModelRoute spec.rules[].experiment.name': async (t) => {
    for (const name of ['one', 'two'])
      assert.equal(count(await assigned(t, { name, salt: 's' }), `${name}/treatment`) > 0, true)
  },
  'ModelRoute spec.rules[].experiment.unit.header': async (t) => {
    const answers = await assigned(t, { unit: { header: 'X-Team' } }, { header: 'x-team' })
    assert.equal(count(answers, ''), 0)
    assert.equal(count(await assigned(t, { unit: { header: 'x-team' } }), ''), USERS)
  },
  'ModelRoute spec.rules[].experiment.salt': async (t) => {
    const first = experiments(await assigned(t, { salt: 'a' }))
    assert.deepEqual(experiments(await assigned(t, { salt: 'a' })), first)
    assert.notDeepEqual(experiments(await assigned(t, { salt: 'b' })), first)
  },
  'ModelRoute spec.rules[].experiment.layer.name': async (t) => {
    const first = experiments(await assigned(t, { layer: { name: 'a', to: 50 } }))
    assert.notDeepEqual(experiments(await assigned(t, { layer: { name: 'b', to: 50 } })), first)
  },
  'ModelRoute spec.rules[].experiment.layer.from': async (t) => {
    assert.ok(count(await assigned(t, { layer: { name: 'a', from: 80 } }), '') > USERS / 2)
    assert.equal(count(await assigned(t, { layer: { name: 'a' } }), ''), 0)
  },
  'ModelRoute spec.rules[].experiment.layer.to': async (t) => {
    assert.ok(count(await assigned(t, { layer: { name: 'a', to: 20 } }), '') > USERS / 2)
  },
  'ModelRoute spec.rules[].experiment.arms[].name': async (t) => {
    const named = [{ name: 'now', endpoint: { name: 'a' } }, ...arms.slice(1)]
    assert.ok(count(await assigned(t, { arms: named }), 'test/now') > 0)
  },
  'ModelRoute spec.rules[].experiment.arms[].endpoint.name': async (t) => {
    const swapped = [
      { name: 'control', endpoint: { name: 'b' } },
      { name: 'treatment', endpoint: { name: 'a' } },
    ]
    for (const { experiment: arm, endpoint } of await assigned(t, { arms: swapped }))
      assert.equal(endpoint, arm === 'test/control' ? 'b' : 'a')
  },
  'ModelRoute spec.rules[].experiment.arms[].endpoint.namespace': async (t) => {
    const other = { endpoint: { name: 'b', namespace: 'other' } }
    const answers = await assigned(t, { arms: [arms[0], { name: 'far', ...other }] }, { targets: [to('a'), other] })
    assert.ok(answers.some(({ experiment: arm, endpoint }) => arm === 'test/far' && endpoint === 'other/b'))
  },
  'ModelRoute spec.rules[].experiment.arms[].endpoint.model': async (t) => {
    const [m, n] = [{ endpoint: { name: 'c', model: 'm' } }, { endpoint: { name: 'c', model: 'n' } }]
    const two = [
      { name: 'm', ...m },
      { name: 'n', ...n },
    ]
    for (const { experiment: arm, model } of await assigned(t, { arms: two }, { targets: [m, n] }))
      assert.equal(arm, `test/${model}`)
  },
  'ModelRoute spec.rules[].experiment.arms[].weight': async (t) => {
    const weighed = [arms[0], { ...arms[1], weight: 9 }]
    assert.ok(count(await assigned(t, { arms: weighed }), 'test/treatment') > 42)
  },
  'ModelRoute spec.rules[].experiment.control': async () => {
    const compared = (control: object) => after(control, {}).analysis.comparisons.map(({ arm }) => arm)
    assert.deepEqual(compared({}), ['treatment'])
    assert.deepEqual(compared({ control: 'treatment' }), ['control'])
  },
  'ModelRoute spec.rules[].experiment.metrics[].metric': async () =>
    each({ cost: 0.7 }, [
      [{ metrics: [cost] }, 'Ship Better'],
      [{ metrics: [{ metric: 'Quality', primary: true }] }, 'Running Undecided'],
    ]),
  'ModelRoute spec.rules[].experiment.metrics[].primary': async () =>
    each({ cost: 0.7 }, [
      [{ metrics: [cost, { metric: 'ErrorRate', minimumEffect: '0.1' }] }, 'Ship Better'],
      [{ metrics: [{ metric: 'Cost' }, { ...errors, minimumEffect: '0.1' }] }, 'Stop NoEffect'],
    ]),
  'ModelRoute spec.rules[].experiment.metrics[].direction': async () =>
    each({ errors: 0.3 }, [
      [{ metrics: [errors] }, 'Stop Harmful'],
      [{ metrics: [{ ...errors, direction: 'Increase' }] }, 'Ship Better'],
    ]),
  'ModelRoute spec.rules[].experiment.metrics[].minimumEffect': async () =>
    each({ errors: 0.16 }, [
      [{ metrics: [cost, { metric: 'ErrorRate', minimumEffect: '0.2' }] }, 'Stop NoEffect'],
      [{ metrics: [cost, { metric: 'ErrorRate', minimumEffect: '0.01' }] }, 'Stop Harmful'],
    ]),
  'ModelRoute spec.rules[].experiment.alpha': async () => {
    const width = (alpha: string) => {
      const known = after({ alpha }, {}).analysis.comparisons[0]?.known
      return known ? known.upper - known.lower : 0
    }
    assert.ok(width('0.001') > 1.1 * width('0.1'))
  },
  'ModelRoute spec.rules[].experiment.samples': async () =>
    each({ cost: 0.7 }, [
      [{ samples: 3000 }, 'Ship Better'],
      [{ samples: 3001 }, 'Running Collecting'],
    ]),
  'ModelRoute spec.rules[].experiment.maxDuration': async () =>
    each(
      {},
      [
        [{ maxDuration: '2s', samples: 10_000 }, 'Stop DeadlineExceeded'],
        [{ maxDuration: '3s', samples: 10_000 }, 'Running Collecting'],
      ],
      { elapsed: 2000 },
    ),
  'ModelRoute spec.rules[].experiment.onDecision': async () => {
    const target = (name: string) => ({ endpoint: `ai/${name}`, model: '', weight: 1, priority: 0 })
    const targets = [target('a'), target('b')]
    for (const [onDecision, experimenting, first] of [
      ['Report', true, [0, 0]],
      ['Ship', false, [1, 0]],
    ] as const) {
      const rule = spec({ onDecision })
      const version = experimentVersion(rule.experiment, 'ai', '')
      const decided = { rule: '0', version, over: true, waits: false, winner: 'treatment' }
      const made = assignedTo(rule, targets, { namespace: 'ai' }, decided)
      assert.equal(made.experiment !== undefined, experimenting)
      assert.deepEqual(
        made.targets.map(({ priority }) => priority),
        first,
      )
    }
  },
}
