// The upstream of the streaming benchmarks, as a process of its own: `node bench/load/model-server.ts EVENTS GAP PORT…`, GAP in whole
// milliseconds. It speaks the API that the path names. Raw sockets, because at 50,000 events a second node:http would take more of the core
// than the proxy under test is given.
import { createServer, type Socket } from 'node:net'
import { answers, type Api, models, now, paths } from '../wire.ts'

const [events = 0, gap = 1, ...ports] = process.argv.slice(2).map(Number)

/** An answer's bytes on the wire, made once: what goes out again and again has a place for the time in it, and no more. */
interface Script {
  readonly whole: string
  /** What a stream begins with, before its first words. */
  readonly head: string
  readonly before: string
  readonly after: string
  readonly ending: string
  /** The ending where the caller asked for the usage. */
  readonly counted: string
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const json = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
// X-Accel-Buffering tells nginx to pass on what comes as it comes.
const head =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n'
const place = '@0000000000000.000'
const around = (text: string): Pick<Script, 'before' | 'after'> => {
  const [before = '', after = ''] = chunk(text).split(place)
  return { before, after }
}

function openai(): Script {
  const event = (members: string): string =>
    `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"${models.openai}",${members}}\n\n`
  const choice = (members: string): string => event(`"choices":[{"index":0,${members}}]`)
  const finish = chunk(choice('"delta":{},"finish_reason":"stop"'))
  const usage = chunk(event('"choices":[],"usage":{"prompt_tokens":52,"completion_tokens":60,"total_tokens":112}'))
  const done = `${chunk('data: [DONE]\n\n')}0\r\n\r\n`
  return {
    whole: json(answers.openai),
    head,
    ...around(choice(`"delta":{"content":" ${place}"},"finish_reason":null`)),
    ending: finish + done,
    counted: finish + usage + done,
  }
}

function anthropic(): Script {
  const event = (type: string, members: string): string => `event: ${type}\ndata: {"type":"${type}"${members}}\n\n`
  const usage = '"input_tokens":52,"cache_creation_input_tokens":0,"cache_read_input_tokens":0'
  const start = event(
    'message_start',
    `,"message":{"id":"msg_01BenchBenchBenchBenchBe","type":"message","role":"assistant","model":"${models.anthropic}","content":[],"stop_reason":null,"stop_sequence":null,"usage":{${usage},"output_tokens":1}}`,
  )
  const block = event('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}')
  const ending =
    chunk(event('content_block_stop', ',"index":0')) +
    chunk(
      event(
        'message_delta',
        `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{${usage},"output_tokens":60}`,
      ),
    ) +
    `${chunk(event('message_stop', ''))}0\r\n\r\n`
  return {
    whole: json(answers.anthropic),
    head: head + chunk(start) + chunk(block),
    ...around(event('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":" ${place}"}`)),
    ending,
    counted: ending,
  }
}

const scripts: Readonly<Record<Api, Script>> = { openai: openai(), anthropic: anthropic() }

interface Stream {
  readonly socket: Socket
  readonly script: Script
  readonly ending: string
  left: number
}

/** Streams by the millisecond, modulo the gap, at which their events are due. */
const due: Set<Stream>[] = Array.from({ length: gap }, () => new Set())
const stamped = ({ before, after }: Script): string => `${before}@${now().toFixed(3)}${after}`

function start(socket: Socket, script: Script, counted: boolean): Stream {
  const stream = { socket, script, ending: counted ? script.counted : script.ending, left: events - 1 }
  socket.write(script.head + stamped(script), 'latin1')
  due[Math.floor(now()) % gap]?.add(stream)
  return stream
}

let last = Math.floor(now())
setInterval(() => {
  const until = Math.floor(now())
  for (; last < until; last += 1) {
    const bucket = due[(last + 1) % gap]
    for (const stream of bucket ?? []) {
      if (stream.left > 0) {
        stream.socket.write(stamped(stream.script), 'latin1')
        stream.left -= 1
      } else {
        stream.socket.write(stream.ending, 'latin1')
        bucket?.delete(stream)
      }
    }
  }
}, 1)

/** The members that a stream is asked for with stand near the beginning or the end of the body, whoever wrote it. */
const NEAR = 4096

function serve(socket: Socket): void {
  socket.setNoDelay(true)
  let pending: Buffer[] = []
  let got = 0
  /** Bytes of the whole request; not known before its headers are there, or where it is chunked. */
  let size: number | undefined
  let stream: Stream | undefined
  socket.on('data', (data: Buffer) => {
    pending.push(data)
    got += data.length
    if (size !== undefined && got < size) return // of a long body, all but the last piece is looked at once
    const all = pending.length === 1 ? data : Buffer.concat(pending)
    const text =
      all.length > 2 * NEAR
        ? all.toString('latin1', 0, NEAR) + all.toString('latin1', all.length - NEAR)
        : all.toString('latin1')
    const body = text.indexOf('\r\n\r\n') + 4
    if (body < 4) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, body))?.[1]
    size = length === undefined ? undefined : body + Number(length)
    if (size === undefined ? !text.endsWith('\r\n0\r\n\r\n') : got < size) return
    pending = []
    got = 0
    size = undefined
    const script = scripts[text.startsWith(`POST ${paths.anthropic}`) ? 'anthropic' : 'openai']
    if (/"stream": ?true/.test(text)) stream = start(socket, script, /"include_usage": ?true/.test(text))
    else socket.write(script.whole, 'latin1')
  })
  socket.on('close', () => {
    if (stream) for (const bucket of due) bucket.delete(stream)
  })
  socket.on('error', () => socket.destroy())
}

for (const port of ports) createServer(serve).listen(port, '127.0.0.1', 4096)
