import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataPath } from '../helpers/data-path.ts'
import { simulated } from './providers.ts'
import { table } from './table.ts'
import { ask, bricks, calm, close, partsOf, verdict } from './wall.ts'
import type { Brick } from './wall.ts'

const page = join(import.meta.dirname, '../../docs/failure-wall.md')
/** Requests at the same time. */
const WIDTH = 12

test('failure wall: a whole answer whenever a healthy target remains, else a clean error', async (t) => {
  const { urls, secrets } = await simulated(t)
  const parts = [...bricks, ...calm].map((brick) => partsOf(brick, urls))
  const { url } = await dataPath(t, {
    routes: parts.map(({ route }) => route),
    endpoints: parts.flatMap(({ endpoints }) => endpoints),
    secrets,
  })
  t.after(close)
  const calmly = new Map<string, Awaited<ReturnType<typeof ask>>>()
  for (const brick of calm) {
    const seen = await ask(url, brick)
    assert.ok(seen.finished && seen.text.length > 80, `${brick.caller.name}: ${JSON.stringify(seen)}`)
    calmly.set(`${brick.caller.name} ${brick.stream}`, seen)
  }

  const wrong: string[] = []
  const results: { readonly brick: Brick; readonly good: boolean }[] = []
  const rescues = new Map<string, number>()
  const queue = bricks.values()
  const worker = async () => {
    for (const brick of queue) {
      const reference = calmly.get(`${brick.caller.name} ${brick.stream}`)
      assert.ok(reference)
      const seen = await ask(url, brick)
      const why = verdict(brick, seen, reference)
      const { scenario, caller, stream, all, targets } = brick
      if (why !== undefined)
        wrong.push(
          `${scenario.what} (${scenario.fault}), ${caller.name}, ${stream ? 'streamed' : 'unary'}, ${all ? 'all targets' : 'first target'}, ${targets.join(' and ')}: ${why}`,
        )
      results.push({ brick, good: why === undefined })
      if (seen.rescue !== undefined) rescues.set(seen.rescue, (rescues.get(seen.rescue) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
  const text = table(results)
  // Each way of going on has to have been taken; how often depends on how much of a stream came before it was cut.
  assert.deepEqual([...rescues.keys()].toSorted(), ['continued', 'failed', 'replayed'])
  t.diagnostic(`rescues: ${JSON.stringify(Object.fromEntries(rescues))}`)
  if (process.env['UPDATE'] === '1') writeFileSync(page, text)
  assert.deepEqual(wrong, [])
  assert.equal(readFileSync(page, 'utf8'), text, 'the page is made by UPDATE=1 node test/wall/wall.test.ts')
})
