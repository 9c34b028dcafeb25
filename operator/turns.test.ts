import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { CompiledRule } from '../api/compiled.ts'
import type { Compiled } from './compile/index.ts'
import { Turns } from './turns.ts'

const DAY = 86_400_000

/** A compile that changed a route, whose faults end at these times. */
function compiled(name: string, ...ends: number[]): Compiled {
  const faults = ends.map((until) => ({ type: 'Cut', percent: 100, headers: [], until }) as const)
  const rules: Partial<CompiledRule>[] = [{ name: '0', faults }]
  const routes = new Map([[name, { body: { rules } }]])
  return { changes: { objects: new Set([`ModelRoute ${name}`]) }, routes } as unknown as Compiled // what is looked at
}

test('turns: a route is looked at again when its faults begin and when they end, and not when they are gone', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  let wall = 0
  const told: string[] = []
  const turns = new Turns(
    () => wall,
    (routes) => told.push(routes.join()),
  )
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      wall += 1000
      mock.timers.tick(1000)
    }
  }
  turns.compiled(compiled('ai/a', DAY + 300_000))
  turns.compiled(compiled('ai/b', 120_000))
  pass(110_000)
  assert.deepEqual(told, [])
  pass(20_000)
  assert.deepEqual(told, ['ai/b'])
  turns.compiled(compiled('ai/b', 200_000))
  turns.compiled(compiled('ai/b'))
  pass(200_000)
  assert.deepEqual(told, ['ai/b', 'ai/a'])
  turns.stop()
  pass(2 * 60_000)
  mock.timers.reset()
})
