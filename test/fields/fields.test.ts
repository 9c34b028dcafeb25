import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { kinds } from '../../api/kinds.ts'
import type { Schema } from '../../core/schema.ts'
import { address } from './address.ts'
import { anthropic } from './anthropic.ts'
import { audit } from './audit.ts'
import { bandit } from './bandit.ts'
import { bedrock } from './bedrock.ts'
import { caller } from './caller.ts'
import { connection } from './connection.ts'
import type { Coverage } from './coverage.ts'
import { decide } from './decide.ts'
import { decisions } from './decisions.ts'
import { faults } from './faults.ts'
import { experiment } from './experiment.ts'
import { gate } from './gate.ts'
import { feedback } from './feedback.ts'
import { health } from './health.ts'
import { matches } from './matches.ts'
import { mirror } from './mirror.ts'
import { models } from './models.ts'
import { prices } from './prices.ts'
import { resilience } from './resilience.ts'
import { rollout } from './rollout.ts'
import { route } from './route.ts'
import { sharing } from './sharing.ts'
import { vertexAI } from './vertex-ai.ts'

const tables: readonly Coverage[] = [
  address,
  anthropic,
  audit,
  bandit,
  bedrock,
  caller,
  connection,
  decide,
  experiment,
  gate,
  decisions,
  faults,
  feedback,
  health,
  matches,
  mirror,
  models,
  prices,
  resilience,
  sharing,
  rollout,
  route,
  vertexAI,
]

/** Every field that holds a value of its own, by its path. */
function* leaves(schema: Schema, path: string): Generator<string> {
  const { properties, items, additionalProperties } = schema
  if (items) yield* leaves(items, `${path}[]`)
  else if (additionalProperties) yield* leaves(additionalProperties, `${path}{}`)
  else if (properties && !schema['x-kubernetes-preserve-unknown-fields'])
    for (const [name, field] of Object.entries(properties)) yield* leaves(field, `${path}.${name}`)
  else yield path
}

const fields = kinds.flatMap(({ kind, spec }) => [...leaves(spec, `${kind} spec`)])

test('fields: each of both schemas has a test that shows what it changes, and no test is for what there is not', () => {
  const covered = tables.flatMap((table) => Object.keys(table))
  assert.equal(new Set(covered).size, covered.length)
  assert.deepEqual(covered.toSorted(), fields.toSorted())
})

describe('fields: behaviour differs with it and without it', { concurrency: 4 }, () => {
  for (const table of tables) for (const [path, run] of Object.entries(table)) test(path, run)
})
