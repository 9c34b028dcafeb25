// The upstream of the streaming benchmarks, as a process of its own: `node bench/load/model-server.ts EVENTS GAP PORT…`, GAP in whole
// milliseconds. Raw sockets, because at 50,000 events a second node:http would take more of the core than the proxy under test is given.
import { createServer, type Socket } from 'node:net'
import { answer, now } from '../wire.ts'

const [events = 0, gap = 1, ...ports] = process.argv.slice(2).map(Number)

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const event = (choice: string): string =>
  `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,${choice}}]}\n\n`
const [before = '', after = ''] = chunk(event('"delta":{"content":" @0000000000000.000"},"finish_reason":null')).split(
  '@0000000000000.000',
)
const usage =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":52,"completion_tokens":60,"total_tokens":112}}\n\n'
const finish = event('"delta":{},"finish_reason":"stop"')
const ending = {
  plain: `${chunk(finish)}${chunk('data: [DONE]\n\n')}0\r\n\r\n`,
  counted: `${chunk(finish)}${chunk(usage)}${chunk('data: [DONE]\n\n')}0\r\n\r\n`,
}
// X-Accel-Buffering tells nginx to pass on what comes as it comes.
const head =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n'
const whole = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`

interface Stream {
  readonly socket: Socket
  readonly ending: string
  left: number
}

/** Streams by the millisecond, modulo the gap, at which their events are due. */
const due: Set<Stream>[] = Array.from({ length: gap }, () => new Set())
const stamped = (): string => `${before}@${now().toFixed(3)}${after}`

function start(socket: Socket, counted: boolean): Stream {
  const stream = { socket, ending: counted ? ending.counted : ending.plain, left: events - 1 }
  socket.write(head + stamped(), 'latin1')
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
        stream.socket.write(stamped(), 'latin1')
        stream.left -= 1
      } else {
        stream.socket.write(stream.ending, 'latin1')
        bucket?.delete(stream)
      }
    }
  }
}, 1)

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
    const text = Buffer.concat(pending).toString('latin1')
    const body = text.indexOf('\r\n\r\n') + 4
    if (body < 4) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, body))?.[1]
    size = length === undefined ? undefined : body + Number(length)
    if (size === undefined ? !text.endsWith('\r\n0\r\n\r\n') : got < size) return
    pending = []
    got = 0
    size = undefined
    if (text.includes('"stream":true')) stream = start(socket, text.includes('"include_usage":true'))
    else socket.write(whole, 'latin1')
  })
  socket.on('close', () => {
    if (stream) for (const bucket of due) bucket.delete(stream)
  })
  socket.on('error', () => socket.destroy())
}

for (const port of ports) createServer(serve).listen(port, '127.0.0.1', 4096)
