import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPath } from '../helpers/data-path.ts'
import { callers } from './surfaces.ts'
import { simulated } from './providers.ts'
import { ask, close, partsOf, verdict } from './wall.ts'
import type { Brick } from './wall.ts'

/** Further than any of the streams goes. */
const END = 40

test('failure wall: streams of every surface, stopped after each of their events in turn', async (t) => {
  t.after(close)
  const { urls, secrets } = await simulated(t)
  const bricks = callers.flatMap((caller) =>
    (['openai', 'anthropic', 'gemini', 'cohere', 'bedrock'] as const).flatMap((second) =>
      Array.from({ length: END }, (_, after): Brick => {
        const scenario = { what: `the end after ${after}`, fault: `truncate,after=${after}`, is: 'failure' } as const
        const model = `${caller.name.replace(' ', '-')}-${second}-${after}`
        return { scenario, caller, stream: true, all: false, targets: [caller.provider, second], model }
      }),
    ),
  )
  const parts = bricks.map((brick) => partsOf(brick, urls))
  const { url } = await dataPath(t, {
    routes: parts.map(({ route }) => route),
    endpoints: parts.flatMap(({ endpoints }) => endpoints),
    secrets,
  })
  const wrong: string[] = []
  const stops = new Set<string>()
  for (const brick of bricks) {
    const { caller, scenario, targets, model } = brick
    // The first has the text of an answer that nothing happened to.
    const calm = { ...brick, scenario: { what: '', fault: '', is: 'none' } as const }
    const seen = await ask(url, brick)
    const why = verdict(brick, seen, await ask(url, calm))
    if (why !== undefined) wrong.push(`${caller.name}, ${targets.join(' and ')}, ${scenario.what}: ${why}`)
    if (seen.rescue !== undefined) stops.add(model)
  }
  assert.deepEqual(wrong, [])
  assert.ok(stops.size > callers.length * 5 * 5, `${stops.size} were rescued`)
})
