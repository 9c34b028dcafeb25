import { Ajv } from 'ajv'
import type { FromSidecar } from '../../api/protocol.ts'
import { LAST } from '../../core/evidence/sketch.ts'

const text = (maxLength: number) => ({ type: 'string', maxLength })
const KEY = '^(route|endpoint|addresses|secret|artefact)/[^/]{1,253}/[^/]{1,600}$'
const DIGEST = { type: 'string', pattern: '^[0-9a-f]{32}$' }
const list = (items: object, maxItems: number) => ({ type: 'array', items, maxItems })
const message = (properties: Record<string, object>, optional: Record<string, object> = {}) => ({
  type: 'object',
  properties: { ...properties, ...optional },
  required: Object.keys(properties),
})

const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
const sums = { type: 'array', items: { type: 'number' }, minItems: 3, maxItems: 3 }
const errors = list(message({ resource: text(1024), path: text(4096), message: text(8192) }), 1000)

const evidence = list(
  message({
    arm: text(1024),
    count,
    weight: { type: 'number', minimum: 0 },
    clock: { type: 'number', minimum: 0 },
    numbers: text(16_384),
  }),
  64,
)

const tallies = list(
  message({
    arm: text(1024),
    n: count,
    errors: count,
    truncations: count,
    refusals: count,
    escalations: count,
    cost: sums,
    quality: sums,
    size: sums,
    latency: list(count, 2 * (LAST + 1)),
    firstToken: list(count, 2 * (LAST + 1)),
  }),
  128,
)
const covers = list({ type: 'array', items: [text(32), count], minItems: 2, additionalItems: false }, 4096)

/** What each message of a sidecar must be like; members that are not named are ignored, as the protocol has it. */
const messages: Readonly<Record<FromSidecar['type'], object>> = {
  hello: message({
    protocol: count,
    version: text(64),
    capabilities: list(text(128), 256),
    have: { type: 'object', propertyNames: { pattern: KEY }, additionalProperties: DIGEST, maxProperties: 200_000 },
  }),
  ack: message({ nonce: count, digest: DIGEST }),
  nack: message({ nonce: count, digest: DIGEST, errors }),
  auth: message({ token: text(65_536) }),
  check: message({ digest: DIGEST }),
  report: message(
    {
      window: { type: 'number', exclusiveMinimum: 0, maximum: 3_600_000 },
      targets: list(
        message(
          {
            route: text(320),
            rule: text(64),
            endpoint: text(320),
            model: text(256),
            requests: count,
            errors: count,
          },
          { cost: { type: 'number', minimum: 0 }, latency: list(count, 2 * (LAST + 1)) },
        ),
        100_000,
      ),
      models: list(
        message(
          {
            endpoint: text(320),
            model: text(256),
            state: { enum: ['closed', 'open', 'half-open', 'ramp'] },
            healthy: { type: 'boolean' },
          },
          { scarce: { type: 'boolean' } },
        ),
        100_000,
      ),
      age: { type: 'number', minimum: 0 },
    },
    {
      promises: list(
        message(
          { route: text(320), rule: text(64), segment: text(256), audits: count },
          {
            alarm: message(
              { from: { type: 'number' }, evidence: { type: 'number', minimum: 0 }, audits: count },
              { to: { type: 'number' } },
            ),
          },
        ),
        10_000,
      ),
    },
  ),
  learned: message({
    rules: list(
      message(
        { route: text(320), rule: text(64), form: text(64), epoch: text(64), seq: count, arms: evidence },
        {
          base: message({
            version: count,
            covers,
            arms: evidence,
          }),
        },
      ),
      1000,
    ),
  }),
  evidence: message({
    rules: list(
      message(
        { route: text(320), rule: text(64), version: text(128), epoch: text(64), seq: count, arms: tallies },
        { base: message({ version: count, covers, arms: tallies }) },
      ),
      1000,
    ),
  }),
}

const ajv = new Ajv({ strict: true, allowUnionTypes: true })
const validators = new Map(Object.entries(messages).map(([type, schema]) => [type, ajv.compile(schema)]))

/** Reads a sidecar's message; undefined for one of a type that is not known, which is ignored. Throws where it is no message at all. */
export function readMessage(data: string): FromSidecar | undefined {
  const value: unknown = JSON.parse(data)
  if (value === null || typeof value !== 'object' || !('type' in value) || typeof value.type !== 'string')
    throw new Error('a message is an object with a type')
  const { type } = value
  const validate = validators.get(type)
  if (!validate) return undefined
  if (!validate(value)) throw new Error(`${type}: ${ajv.errorsText(validate.errors)}`)
  return value as FromSidecar // the schema of its type has checked it
}
