import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { progressLine } from './progress.ts'

/** A stream that is a terminal or not, and what was written to it. */
function stream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly written: () => string } {
  const written: string[] = []
  const through = new PassThrough().on('data', (chunk: Buffer) => written.push(chunk.toString()))
  // Only `write` and `isTTY` of it are used.
  return { stream: Object.assign(through, { isTTY }) as unknown as NodeJS.WriteStream, written: () => written.join('') }
}

test('progress: a terminal is told the share and the time left, on one line that ends empty', () => {
  let now = 0
  const { stream: terminal, written } = stream(true)
  const line = progressLine(terminal, () => now)
  now = 30_000
  line.say(0.25)
  now = 60_000
  line.say(0.9)
  line.end()
  assert.equal(written(), '\r\u001B[Ktraining: 25 %, 1:30 left\r\u001B[Ktraining: 90 %, 0:07 left\r\u001B[K')
})

test('progress: what is no terminal is told nothing', () => {
  const { stream: file, written } = stream(false)
  const line = progressLine(file, () => 0)
  line.say(0.5)
  line.end()
  assert.equal(written(), '')
})
