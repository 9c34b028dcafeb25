import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { winners } from './claims.ts'
import { Failure } from './errors.ts'
import type { Reply } from './exchange.ts'
import { modelReply } from './models.ts'
import { routeRule, RouteTable } from './routes.ts'
import type { Route } from './routes.ts'
import type { Match, Rule } from './target.ts'

const path = (value: string, type: 'Exact' | 'Prefix' = 'Prefix'): Match => ({ headers: [], path: { type, value } })

function route(name: string, models: string[], matches: Match[] = [], opaque = false, created = 0): Route<string> {
  // Of a target only whether its provider is opaque matters to the table.
  const targets = [{ endpoint: { provider: { opaque } } }] as unknown as Rule['targets']
  const rule: Rule = {
    name: 'rule',
    route: name,
    generation: 1,
    requestTimeout: 1,
    matches,
    targets,
    unresolved: [],
    strategy: { type: 'Weighted', settings: {} },
    adjust: [],
    sticky: undefined,
    retry: { attempts: 0, when: new Set() },
    fallback: { when: new Set() },
    rescue: 'Stream',
    hedge: undefined,
    onUnavailable: 'Redistribute',
    onUnsupported: 'Report',
  }
  return { name, models, selective: false, created, rules: [routeRule(rule, name)] }
}

const asked = (path: string, model = '') => ({ model, path, wall: 0, signals: undefined, header: () => undefined })
const found = (routes: Route<string>[], path: string) => new RouteTable(routes).findPassThrough(asked(path))?.route.name

test('routes: an exact model, then any, then an error that lists what is served', () => {
  const table = new RouteTable([route('any', ['*']), route('one', ['b', 'a'])])
  assert.equal(table.routeOf('a').name, 'one')
  assert.equal(table.routeOf('z').name, 'any')
  assert.equal(table.has('z'), true)
  const strict = new RouteTable([route('one', ['b', 'a'])])
  assert.equal(strict.has('z'), false)
  assert.throws(
    () => strict.routeOf('z'),
    (error: unknown) => error instanceof Failure && error.code === 'model_not_found' && /a, b\./.test(error.message),
  )
})

test('routes: what is passed through goes to the farthest-reaching path, exact before prefix, the older route first', () => {
  const short = route('short', [], [path('/a')], true)
  const long = route('long', [], [path('/a/b')], true)
  const exact = route('exact', [], [path('/a/b', 'Exact')], true)
  assert.equal(found([short, long], '/a/b/c'), 'long')
  assert.equal(found([short, long], '/a/x'), 'short')
  assert.equal(found([long, exact], '/a/b'), 'exact')
  assert.equal(found([route('young', [], [path('/a')], true, 2), route('old', [], [path('/a')], true, 1)], '/a'), 'old')
})

test('routes: nothing is passed through without both a path and an HTTP target', () => {
  assert.equal(found([route('x', ['m'], [path('/a')], false)], '/a'), undefined)
  assert.equal(found([route('x', ['m'], [], true)], '/a'), undefined)
  assert.equal(found([route('x', ['m'], [path('/a'), { headers: [] }], true)], '/a'), undefined)
})

test('routes: a rule that does not match is an error of its own', () => {
  const one = route('one', ['m'], [path('/only')])
  const table = new RouteTable([one])
  assert.throws(() => table.ruleOf(one, asked('/other', 'm')), { code: 'rule_not_found' })
  assert.throws(() => table.passThrough(asked('/other')), { code: 'path_not_found' })
})

test('routes: after any edits, a table is the one that would be made anew, and settles claims as winners does', () => {
  const models = fc.subarray(['a', 'b', 'c', '*'])
  const matches = fc.constantFrom<Match[]>([], [path('/a')], [path('/a/b')])
  const edit = fc.record({ name: fc.constantFrom('one', 'two', 'three', 'four'), models, matches, created: fc.nat(2) })
  const step = fc.array(fc.record({ edit, goes: fc.boolean() }), { maxLength: 4 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const routes = new Map<string, Route<string>>()
      let table = new RouteTable<string>([])
      for (const edits of steps) {
        const before = new Map(routes)
        for (const { edit, goes } of edits)
          if (goes) routes.delete(edit.name)
          else routes.set(edit.name, route(edit.name, edit.models, edit.matches, true, edit.created))
        const gone = new Set([...before.values()].filter((it) => routes.get(it.name) !== it))
        const come = [...routes.values()].filter((it) => before.get(it.name) !== it)
        table = table.with(gone, come)
        const { exact, any } = winners(routes.values())
        assert.deepEqual(
          [...table.models],
          [...exact].sort(([a], [b]) => (a < b ? -1 : 1)),
        )
        for (const model of ['a', 'b', 'c', 'other']) {
          const wanted = exact.get(model) ?? any
          assert.equal(table.has(model), wanted !== undefined)
          if (wanted) assert.equal(table.routeOf(model), wanted)
        }
        const anew = new RouteTable([...routes.values()])
        for (const at of ['/a', '/a/b/c'])
          assert.deepEqual(table.findPassThrough(asked(at)), anew.findPassThrough(asked(at)))
      }
    }),
  )
})

const text = ({ body }: Reply): string => (Buffer.isBuffer(body) ? body.toString() : '')

test('models: the list is in order of names; a name may hold a slash, encoded or not', () => {
  const table = new RouteTable([route('one', ['org/b', 'a'])])
  const body = (path: string) => JSON.parse(text(modelReply(table, path))) as { data: { id: string }[]; id: string }
  assert.deepEqual(
    body('/v1/models').data.map(({ id }) => id),
    ['a', 'org/b'],
  )
  assert.equal(body('/v1/models/org/b').id, 'org/b')
  assert.equal(body('/v1/models/org%2Fb').id, 'org/b')
  assert.throws(() => modelReply(table, '/v1/models/%zz'), { code: 'model_not_found' })
  assert.throws(() => modelReply(table, '/v1/models/c'), { code: 'model_not_found' })
})
