import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledGate } from '../../api/compiled-gate.ts'
import type { CompiledEndpoint, CompiledRoute, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { dataPath, endpoint, route, rule, target } from './data-path.ts'
import { upstreams } from './upstream.ts'

/** A gate with the schema's defaults, but for what is given. */
export const gate = (rest: Partial<CompiledGate> = {}): CompiledGate => ({
  mode: 'Buffer',
  prefix: { tokens: 40, within: 800 },
  checks: (['Length', 'Empty', 'Refusal', 'ToolArguments', 'Format'] as const).map((type) => ({ type })),
  maxEscalations: 2,
  ...rest,
})

/** What a simulated model is told to say. */
export const REFUSAL = `says=${encodeURIComponent("I'm sorry, but I can't help with that.")}`
export const says = (text: string): string => `says=${encodeURIComponent(text)}`

interface Shape {
  readonly gate?: Partial<CompiledGate>
  readonly rule?: Partial<CompiledRule>
  readonly route?: Partial<CompiledRoute>
  /** Trained artefacts of namespace `ai`, by name. */
  readonly artefacts?: Readonly<Record<string, Uint8Array>>
  /** Of the three endpoints, by their place. */
  readonly endpoints?: readonly Partial<CompiledEndpoint>[]
}

/** A ladder of three: `a` is cheap and always asked first, `b` is stronger, `c` the strongest. */
export async function ladder(
  t: TestContext,
  mocks: readonly [MockOptions, MockOptions?, MockOptions?],
  shape: Shape = {},
) {
  const [a, b, c] = await upstreams(t, mocks[0], mocks[1] ?? {}, mocks[2] ?? {})
  const names = ['a', 'b', 'c'] as const
  const partsOf = (timeout: object) => ({
    routes: [
      route(
        'chat',
        [
          rule(
            names.map((name, priority) => target(name, { priority })),
            { gate: gate(shape.gate), ...shape.rule },
          ),
        ],
        { ...shape.route, ...timeout },
      ),
    ],
    endpoints: [a, b, c].map((mock, rank) => {
      const name = names[rank] ?? 'a'
      return endpoint(name, `${mock.url}${mock.provider.basePath}`, {
        models: [{ name: `${name}-model`, rank, defaults: {}, force: {}, ...priced(rank) }],
        ...shape.endpoints?.[rank],
      })
    }),
    artefacts: Object.fromEntries(
      Object.entries(shape.artefacts ?? {}).map(([name, bytes]) => [
        `ai/${name}`,
        { artefact: Buffer.from(bytes).toString('base64') },
      ]),
    ),
  })
  const sidecar = await dataPath(t, partsOf({}))
  const shorten = (requestTimeout: number) => sidecar.apply(partsOf({ requestTimeout }))
  const facts = () => sidecar.telemetry.exchanges.at(-1)
  return { a, b, c, ...sidecar, shorten, facts, whys: () => facts()?.attempts.map(({ why, code }) => [why, code]) }
}

/** 1, 10 and 100 USD for a million tokens of either kind. */
const priced = (rank: number) => ({
  prices: [{ price: { input: String(10 ** rank), output: String(10 ** rank) } }],
})

interface Asked {
  readonly stream?: boolean
  readonly path?: string
  readonly body?: object
  readonly signal?: AbortSignal
}

export async function ask(url: string, { stream = false, path = '/v1/chat/completions', body, signal }: Asked = {}) {
  const messages = [{ role: 'user', content: 'Hello' }]
  const answer = await request(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', stream, messages, ...body }),
    ...(signal ? { signal } : {}),
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, by: String(answer.headers['x-tradewind-endpoint']), text, answer }
}

/** The words of a stream of OpenAI's chat. */
export function said(stream: string): string {
  return [...stream.matchAll(/^data: (\{.*\})$/gm)]
    .map(([, data = '{}']) => {
      const { choices = [] } = JSON.parse(data) as { choices?: { delta?: { content?: string | null } }[] }
      return choices[0]?.delta?.content ?? ''
    })
    .join('')
}
