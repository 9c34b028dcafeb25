// The app in the pods: a caller with the official SDK, told where to send by its environment alone. Each command prints one JSON line at its end.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'

/** What came of one request. */
export interface Outcome {
  readonly ok: boolean
  /** `x-tradewind-endpoint` of the answer. */
  readonly endpoint: string
  readonly model: string
  readonly route: string
  readonly attempts: number
  readonly text: string
  readonly error: string
}

/** What came of many. */
export interface Load {
  readonly sent: number
  readonly failed: number
  /** The first failures. */
  readonly errors: readonly string[]
  readonly byEndpoint: Readonly<Record<string, number>>
}

const model = process.env['MODEL'] ?? 'support-chat'
const client = new OpenAI({ maxRetries: 0, timeout: 60_000 })
/** There while a load runs, and until someone removes it. */
const runFile = (name: string) => `/tmp/run-${name}`

/** Asks once. A stream counts as whole when it has a finish reason. */
async function ask(stream: boolean): Promise<Outcome> {
  const messages = [{ role: 'user' as const, content: 'Where is my parcel?' }]
  let [endpoint, answeredBy, route, attempts, text] = ['', '', '', 0, '']
  const read = (response: Response) => {
    endpoint = response.headers.get('x-tradewind-endpoint') ?? ''
    route = response.headers.get('x-tradewind-route') ?? ''
    attempts = Number(response.headers.get('x-tradewind-attempts'))
  }
  try {
    let finished: string | null | undefined
    if (stream) {
      const { data, response } = await client.chat.completions.create({ model, messages, stream }).withResponse()
      read(response)
      for await (const { choices, model } of data) {
        answeredBy = model
        text += choices[0]?.delta.content ?? ''
        finished ??= choices[0]?.finish_reason
      }
    } else {
      const { data, response } = await client.chat.completions.create({ model, messages }).withResponse()
      read(response)
      answeredBy = data.model
      text = data.choices[0]?.message.content ?? ''
      finished = data.choices[0]?.finish_reason
    }
    if (!finished || !text) throw new Error(`an answer that is not whole: ${JSON.stringify({ finished, text })}`)
    return { ok: true, endpoint, model: answeredBy, route, attempts, text, error: '' }
  } catch (error) {
    return { ok: false, endpoint, model: answeredBy, route, attempts, text, error: String(error) }
  }
}

/** Sends `rate` requests a second, every other one a stream, until `count` are sent, or someone says stop and two seconds are over. */
async function load(name: string, rate: number, count: number): Promise<Load> {
  writeFileSync(runFile(name), '')
  const byEndpoint: Record<string, number> = {}
  const errors: string[] = []
  const pending = new Set<Promise<void>>()
  let [sent, failed] = [0, 0]
  const start = performance.now()
  while (sent < count && (sent < rate * 2 || existsSync(runFile(name)))) {
    const one = ask(sent++ % 2 === 0).then(({ ok, endpoint, error }) => {
      byEndpoint[endpoint] = (byEndpoint[endpoint] ?? 0) + 1
      if (ok) return
      failed++
      if (errors.length < 5) errors.push(`${new Date().toISOString()} ${error}`)
    })
    pending.add(one)
    void one.finally(() => pending.delete(one))
    await sleep(start + (sent * 1000) / rate - performance.now())
  }
  await Promise.all(pending)
  return { sent, failed, errors, byEndpoint }
}

const print = (value: unknown) => console.log(JSON.stringify(value))
const [command = '', ...args] = process.argv.slice(2)
const commands: Readonly<Record<string, () => Promise<void>>> = {
  /** Keeps the container there. */
  wait: async () => {
    process.once('SIGTERM', () => process.exit(0))
    await new Promise(() => setInterval(() => {}, 1 << 30))
  },
  ask: async () => print(await ask(args.includes('stream'))),
  /** load NAME RATE COUNT */
  load: async () => print(await load(args[0] ?? '', Number(args[1]), Number(args[2]))),
  /** started NAME: fails until the load of that name runs. */
  started: async () => void (process.exitCode = existsSync(runFile(args[0] ?? '')) ? 0 : 1),
  /** stop NAME: ends it. */
  stop: async () => rmSync(runFile(args[0] ?? '')),
  /** get URL: what it answers. */
  get: async () => console.log(await (await fetch(args[0] ?? '')).text()),
  /** As an app that is told to end while it reads: it ends when it has read. */
  finish: async () => {
    process.on('SIGTERM', () => console.log('told to end'))
    console.log('asking')
    print(await ask(true))
    process.exit(0)
  },
}
await (commands[command] ?? (() => Promise.reject(new Error(`no command '${command}'`))))()
