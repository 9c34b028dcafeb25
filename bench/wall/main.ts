// The failure wall (test/wall) against other gateways: every fault × streamed or not × of the first target or of both, for OpenAI's chat with two
// OpenAI servers behind. `node bench/wall/main.ts [NAME…]`; writes bench/failure-wall.md where no name is given.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { startMock } from '../../cli/mock/server.ts'
import type { Mock } from '../../cli/mock/server.ts'
import { RELEASE } from '../../api/release.ts'
import { DataPath } from '../../sidecar/data-path.ts'
import { PassThroughProxy } from '../../sidecar/upgrade.ts'
import { compiled } from '../../test/helpers/data-path.ts'
import { scenarios } from '../../test/wall/scenarios.ts'
import { callers } from '../../test/wall/surfaces.ts'
import type { Got } from '../../test/wall/surfaces.ts'
import { bricks, partsOf } from '../../test/wall/wall.ts'
import type { Brick } from '../../test/wall/wall.ts'
import type { Gateway } from './gateway.ts'
import { litellm } from './litellm.ts'
import { portkey } from './portkey.ts'

/** Whoever has not answered by then will not, ms. */
const PATIENCE = 8000
const page = join(import.meta.dirname, '../failure-wall.md')
const [chat] = callers
if (!chat) throw new Error('the wall has no caller')
const own = bricks.filter(({ caller, targets }) => caller === chat && targets[0] === targets[1])

/** Something that answers chats, and what it is called by. */
interface Subject {
  readonly name: string
  readonly version: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** What a request asks for. */
  model(brick: Brick): string
  stop(): Promise<void>
}

type Outcome = 'right' | 'cut in silence' | 'no answer' | 'no whole answer' | 'a page for an error'

/** Asks once, and judges by what any caller needs: the text, whether it is finished, and words where it is not. */
async function ask(
  subject: Subject,
  brick: Brick,
  whole: string | undefined,
): Promise<{ outcome: Outcome; text: string }> {
  const { stream, scenario, all } = brick
  let got: Got
  try {
    const answer = await request(`${subject.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-wall', ...subject.headers },
      body: JSON.stringify(chat?.body(subject.model(brick), stream)),
      signal: AbortSignal.timeout(PATIENCE),
    })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    if (answer.statusCode !== 200) {
      const wanted = scenario.is === 'none' || (scenario.is !== 'final' && !all)
      if (wanted) return { outcome: 'no whole answer', text: '' }
      return { outcome: isJson(bytes) ? 'right' : 'a page for an error', text: '' }
    }
    got = read(bytes, stream, String(answer.headers['content-type']))
  } catch (error) {
    // A connection that breaks tells an SDK that something is wrong, though not what.
    const hung = error instanceof Error && error.name === 'TimeoutError'
    return { outcome: hung ? 'no answer' : all && scenario.is === 'failure' ? 'right' : 'no whole answer', text: '' }
  }
  const { text, finished, error } = got
  if (whole === undefined) return { outcome: finished ? 'right' : 'no whole answer', text }
  const complete = finished && error === undefined && (text === whole || scenario.is === 'unseen')
  if (complete) return { outcome: 'right', text }
  if (scenario.fault === 'empty' && all && finished && text === '') return { outcome: 'right', text }
  if (error === undefined) return { outcome: 'cut in silence', text }
  return { outcome: all || scenario.is === 'final' ? 'right' : 'no whole answer', text }
}

/** `[DONE]` and the like are not asked for here. */
function read(bytes: Buffer, stream: boolean, type: string): Got {
  if (!chat) throw new Error('the wall has no caller')
  try {
    if (!stream || type.includes('application/json')) {
      const body: unknown = JSON.parse(bytes.toString())
      const error = /"error":\{.*?"message":"([^"]*)/.exec(JSON.stringify(body))?.[1]
      return { ...chat.whole(Object(body)), error }
    }
    const got = chat.stream(bytes)
    return { ...got, finished: /"finish_reason": ?"stop"/.test(bytes.toString()) }
  } catch {
    return { text: '', finished: false, error: undefined }
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    return typeof JSON.parse(bytes.toString()) === 'object'
  } catch {
    return false
  }
}

/** The request path of this working tree, with targets of its own for every brick, as the test has them. */
async function tradewind(urls: readonly [string, string]): Promise<Subject> {
  const parts = own.map((brick) => {
    const { route, endpoints } = partsOf(brick, {
      openai: '',
      anthropic: '',
      gemini: '',
      cohere: '',
      bedrock: '',
      closed: '',
    })
    return { route, endpoints: endpoints.map((endpoint, i) => ({ ...endpoint, url: urls[i] ?? '' })) }
  })
  const telemetry = { attemptStarted: () => undefined, attemptEnded() {}, exchangeStarted() {}, exchangeEnded() {} }
  const passThrough = (deps: DataPath['deps']) => new PassThroughProxy(deps)
  const path = new DataPath({ telemetry, passThrough, bodyLimit: 50 * 1024 * 1024, environment: {} })
  const port = await path.listen({ host: '127.0.0.1', port: 0 })
  const problems = path.configuration.apply(
    compiled({
      routes: parts.map(({ route }) => route),
      endpoints: parts.flatMap(({ endpoints }) => endpoints),
      secrets: { 'ai/keys': { data: { key: 'sk-wall' } } },
    }),
  )
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return {
    name: 'Tradewind',
    version: RELEASE,
    url: `http://127.0.0.1:${port}`,
    headers: {},
    model: ({ model }) => model,
    async stop() {
      path.traffic.closeAllConnections()
      await path.drain()
    },
  }
}

async function started(gateway: Gateway, urls: readonly [string, string]): Promise<Subject> {
  const version = await gateway.install()
  const directory = mkdtempSync(join(tmpdir(), 'wall-'))
  const port = await freePort()
  const { command, environment, headers } = gateway.command({ directory, port, urls })
  const [file = '', ...args] = command
  const child = spawn(file, args, { env: { ...process.env, ...environment }, stdio: 'ignore', cwd: directory })
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; ; i++) {
    const there = await request(url).then(
      ({ body }) => body.dump().then(() => true),
      () => false,
    )
    if (there) break
    if (i > 600 || child.exitCode !== null) throw new Error(`${gateway.name} does not start`)
    await wait(100)
  }
  return {
    name: gateway.name,
    version,
    url,
    headers,
    model: () => 'gpt-4o',
    async stop() {
      child.kill()
      await new Promise((resolve) => child.once('exit', resolve))
      rmSync(directory, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** What came of every brick, in their order. */
async function run(subject: Subject, mocks: readonly [Mock, Mock]): Promise<readonly Outcome[]> {
  const calmly = new Map<boolean, string>()
  for (const stream of [true, false]) {
    const brick = own.find((it) => it.stream === stream && it.scenario.fault === 'delay=60' && !it.all)
    if (!brick) throw new Error('the wall has no calm brick')
    const { outcome, text } = await ask(subject, brick, undefined)
    if (outcome !== 'right' || text === '') throw new Error(`${subject.name} does not answer even so`)
    calmly.set(stream, text)
  }
  const outcomes: Outcome[] = []
  for (const brick of own) {
    const { scenario, stream, all } = brick
    const fault = stream ? scenario.fault : (scenario.whole ?? scenario.fault)
    const faults = [fault === 'refused' ? 'refuse' : fault]
    await mocks[0].setFaults(faults)
    await mocks[1].setFaults(all ? faults : [])
    const { outcome } = await ask(subject, brick, calmly.get(stream))
    const spared = scenario.spares === (stream ? 'streams' : 'wholes')
    outcomes.push(spared && outcome === 'no whole answer' && all ? 'right' : outcome)
  }
  for (const mock of mocks) await mock.setFaults([])
  return outcomes
}

function table(subjects: readonly { name: string; version: string; outcomes: readonly Outcome[] }[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const of = (outcomes: readonly Outcome[], which: (brick: Brick) => boolean) =>
    own.flatMap((brick, i) => (which(brick) ? [outcomes[i]] : []))
  const count = (list: readonly (Outcome | undefined)[]) =>
    `${list.filter((it) => it === 'right').length}/${list.length}`
  const rows = scenarios.map((scenario) => [
    scenario.what,
    ...subjects.map(({ outcomes }) => count(of(outcomes, (brick) => brick.scenario === scenario))),
  ])
  const kinds: readonly Outcome[] = ['cut in silence', 'no answer', 'no whole answer', 'a page for an error']
  const totals = [
    ['**all**', ...subjects.map(({ outcomes }) => `**${count(outcomes)}**`)],
    [
      'streamed, first target only',
      ...subjects.map(({ outcomes }) => count(of(outcomes, ({ stream, all }) => stream && !all))),
    ],
    ...kinds.map((kind) => [
      `wrong: ${kind}`,
      ...subjects.map(({ outcomes }) => String(outcomes.filter((it) => it === kind).length)),
    ]),
  ]
  const head = ['What a target does', ...subjects.map(({ name, version }) => `${name} ${version}`)]
  return `<!-- Made by node bench/wall/main.ts; not to be edited. -->

# The failure wall, beside others

${new Date().toISOString().slice(0, 10)}. Every fault of [the failure wall](../docs/failure-wall.md) × streamed or not × of the first target or of both, for OpenAI's chat completions with two
simulated OpenAI servers of the same model behind each gateway: the second is named as the fallback of the first, with no retries and a second of silence allowed, in each gateway's own
words. Right is the whole answer where the second target is healthy, and else an error that says so: a status with a JSON body, an error in the stream, or a connection that
breaks. *Cut in silence*: the caller takes part of an answer, or none, for the whole. *No answer*: nothing for ${PATIENCE / 1000} s.

${line(head)}
${line(head.map((_, i) => (i === 0 ? '---' : ':---:')))}
${[...rows, ...totals].map(line).join('\n')}
`
}

const wanted = process.argv.slice(2)
const mocks = [await startMock({ name: 'm', tokens: 24 }), await startMock({ name: 'm', tokens: 24 })] as const
const urls = [`${mocks[0].url}/v1`, `${mocks[1].url}/v1`] as const
const found: { name: string; version: string; outcomes: readonly Outcome[] }[] = []
for (const [name, start] of [
  ['Tradewind', () => tradewind(urls)],
  ['Portkey', () => started(portkey, urls)],
  ['LiteLLM', () => started(litellm, urls)],
] as const) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  try {
    const subject = await start()
    console.error(`wall: ${name} ${subject.version}`)
    const outcomes = await run(subject, mocks)
    found.push({ name, version: subject.version, outcomes })
    await subject.stop()
  } catch (error) {
    // Where it does not install or start here, the page says so by leaving it out.
    console.error(`wall: ${name}: ${String(error)}`)
  }
}
const text = table(found)
console.log(text)
if (wanted.length === 0) writeFileSync(page, text)
for (const mock of mocks) await mock.close()
