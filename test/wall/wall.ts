import { Agent, request } from 'undici'
import type { CompiledEndpoint, CompiledRoute } from '../../api/compiled.ts'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { scenarios } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'
import { callers } from './surfaces.ts'
import type { Caller, Got, Provider } from './surfaces.ts'

/** One request of the wall: a fault, a caller, and who it strikes. */
export interface Brick {
  readonly scenario: Scenario
  readonly caller: Caller
  readonly stream: boolean
  /** Whether the second target has the fault as well. */
  readonly all: boolean
  /** The providers of the two targets. */
  readonly targets: readonly [Provider, Provider]
  /** What callers ask for: every brick has targets of its own, so that what is learnt of one says nothing of another. */
  readonly model: string
}

const others: Readonly<Record<Provider, Provider>> = {
  openai: 'anthropic',
  anthropic: 'openai',
  gemini: 'openai',
  cohere: 'anthropic',
  bedrock: 'openai',
}

/** Every fault × every caller × streamed or not × of the first target or of all × by one provider or across two. */
export const bricks: readonly Brick[] = scenarios
  .flatMap((scenario) =>
    callers.flatMap((caller) =>
      [true, false].flatMap((stream) =>
        [false, true].flatMap((all) =>
          [caller.provider, others[caller.provider]].map((second): Omit<Brick, 'model'> => {
            return { scenario, caller, stream, all, targets: [caller.provider, second] }
          }),
        ),
      ),
    ),
  )
  .map((brick, i) => ({ ...brick, model: `wall-${i}` }))

/** The same request with nothing in its way. */
export const calm: readonly Brick[] = callers.flatMap((caller, i) =>
  [true, false].map((stream) => ({
    scenario: { what: 'nothing', fault: '', is: 'none' } as const,
    caller,
    stream,
    all: false,
    targets: [caller.provider, caller.provider] as const,
    model: `calm-${i}-${stream}`,
  })),
)

/** Names that the providers take for models of theirs; the one with `first` is the first target's. */
const names: Readonly<Record<Provider, string>> = {
  openai: 'gpt-4o',
  anthropic: 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
  cohere: 'command-a-03-2025',
  bedrock: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
}
const FIRST = '-first'
const types: Readonly<Record<Provider, CompiledEndpoint['provider']>> = {
  openai: { type: 'OpenAI' },
  anthropic: { type: 'Anthropic' },
  gemini: { type: 'Gemini' },
  cohere: { type: 'Cohere' },
  bedrock: { type: 'Bedrock', settings: { region: 'eu-west-1' } },
}
/** Short, where a target is to be given up for its silence. */
const QUICK = { connect: 5000, firstToken: 250, idle: 250, attempt: 600 }
const PATIENT = { connect: 20_000, firstToken: 20_000, idle: 20_000, attempt: 20_000 }
/** No target is left out for what it did before: each is asked once. */
const breaker = { consecutive: 1000, percent: 100, minimum: 1000, within: 30_000, openFor: 1, probes: 1, rampUp: [100] }

/** What a brick needs of the configuration. `urls`: base URLs of the simulated providers, and `closed`, where nobody listens. */
export function partsOf(
  { scenario, all, targets, model }: Brick,
  urls: Readonly<Record<Provider | 'closed', string>>,
): { readonly route: CompiledRoute; readonly endpoints: readonly CompiledEndpoint[] } {
  const silent = scenario.fault.startsWith('stall')
  const ends = targets.map((provider, i) => {
    const refused = scenario.fault === 'refused' && (i === 0 || all)
    const name = names[provider] + (i === 0 ? FIRST : '')
    return endpoint(`${model}-${i}`, refused ? urls.closed : urls[provider], {
      provider: types[provider],
      models: [{ name, rank: 0, defaults: {}, force: {} }],
      credentials: { type: 'Secret', secret: { secret: 'ai/keys', key: provider === 'bedrock' ? 'aws' : 'key' } },
      // Whoever is healthy has time, however busy the host is.
      timeouts: silent && (i === 0 || all) ? QUICK : PATIENT,
      breaker,
    })
  })
  const to = ends.map(({ models }, i) => target(`${model}-${i}`, { model: models[0]?.name ?? '', priority: i }))
  return { route: route(model, [rule(to)]), endpoints: ends }
}

const agent = new Agent({ connections: 16, pipelining: 1 })
export const close = (): Promise<void> => agent.close()

/** What a caller comes away with; `trailer`: what the answer says of a rescue. */
export async function ask(base: string, { scenario, caller, stream, all, targets, model }: Brick): Promise<Seen> {
  const fault = stream ? scenario.fault : (scenario.whole ?? scenario.fault)
  const struck =
    fault === '' || fault === 'refused' ? undefined : all ? fault : `${fault},model=${names[targets[0]]}${FIRST}`
  try {
    const answer = await request(base + caller.path(model, stream), {
      method: 'POST',
      dispatcher: agent,
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'own',
        ...(struck === undefined ? {} : { 'x-mock-fault': struck }),
      },
      body: JSON.stringify(caller.body(model, stream)),
    })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    const { statusCode: status } = answer
    if (status !== 200) return { status, text: '', finished: false, error: wordsOf(bytes), rescue: undefined }
    const streamed = stream && !String(answer.headers['content-type']).includes('application/json')
    const got = streamed ? caller.stream(bytes) : caller.whole(JSON.parse(bytes.toString()))
    return { status, ...got, rescue: answer.trailers['x-tradewind-rescue'] }
  } catch (error) {
    return { status: 0, text: '', finished: false, error: undefined, odd: String(error), rescue: undefined }
  }
}

interface Seen extends Got {
  readonly status: number
  readonly rescue: string | undefined
}

/** The words of an error that is the whole answer: all the APIs have JSON with a message somewhere. */
function wordsOf(bytes: Buffer): string | undefined {
  const body: unknown = JSON.parse(bytes.toString())
  return /"message":"([^"]+)/.exec(JSON.stringify(body))?.[1]
}

/** What is wrong with what came of a brick; undefined where it is as it should be. `calmly`: what an undisturbed request gets. */
export function verdict({ scenario, all, stream }: Brick, seen: Seen, calmly: Seen): string | undefined {
  if (seen.odd !== undefined) return seen.odd
  const odd = scenario.fault === 'empty' && all
  const whole = seen.status === 200 && seen.finished && seen.error === undefined
  if (scenario.is === 'unseen') return whole || (all && seen.error !== undefined) ? undefined : 'cut'
  // Where every model has nothing to say, that is the answer.
  if (odd) return whole && seen.text === '' ? undefined : 'not the empty answer'
  const wanted = scenario.is === 'none' || (scenario.is === 'failure' && !all)
  const may = scenario.spares === (stream ? 'streams' : 'wholes')
  if (wanted || (may && whole)) {
    if (!whole) return `no whole answer: ${seen.status} ${seen.error ?? ''} ${seen.text}`
    return seen.text === calmly.text ? undefined : `another text: ${seen.text}`
  }
  if (seen.finished || seen.error === undefined) return `no error: ${seen.status} ${seen.text}`
  if (!calmly.text.startsWith(seen.text)) return `a text that nobody said: ${seen.text}`
  return seen.status === 200 && !stream ? 'an error of status 200' : undefined
}
