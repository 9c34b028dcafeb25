import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const log = join(import.meta.dirname, '../../sidecar/log.ts')
const program = (code: string) => ['--input-type=module', '-e', `import { Log } from ${JSON.stringify(log)};${code}`]
const run = async (code: string) =>
  (await promisify(execFile)(process.execPath, program(code), { maxBuffer: 1 << 28 })).stdout

test('log: lines are JSON with time, level and message, from the level on', async () => {
  const out = await run(`
    const log = new Log('warn')
    log.info('unheard'); log.warn('heard', { a: 1 }); log.error('too', { error: 'x' })
    log.level = 'debug'; log.debug('now'); log.level = 'silent'; log.error('never')
    log.end()`)
  const lines = out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>) // each line is an object
  assert.deepEqual(
    lines.map(({ time, ...rest }) => [typeof time, rest]),
    [
      ['number', { level: 'warn', msg: 'heard', a: 1 }],
      ['number', { level: 'error', msg: 'too', error: 'x' }],
      ['number', { level: 'debug', msg: 'now' }],
    ],
  )
})

test('log: nothing is lost at the end of the program, however much waits', async () => {
  const out = await run(`
    const log = new Log('info')
    for (let i = 0; i < 20000; i++) log.line('{"i":' + i + ',"x":"' + 'x'.repeat(100) + '"}')
    log.end()
    process.exit(0)`)
  const lines = out.split('\n').filter(Boolean)
  assert.equal(lines.length, 20_000)
  assert.ok(
    lines.every((line, i) => line.startsWith(`{"i":${i},`)),
    'in order',
  )
})

test('log: lines are written while the program goes on', async (t) => {
  const child = spawn(
    process.execPath,
    program(`const log = new Log('info'); log.info('one'); setInterval(() => {}, 1000)`),
  )
  t.after(() => child.kill('SIGKILL'))
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  assert.match(chunk.toString(), /"msg":"one"/)
})

test('log: with nobody reading, memory is bounded, the rest is counted as dropped, and the program goes on', async (t) => {
  const child = spawn(
    process.execPath,
    program(`
      const log = new Log('info')
      const line = JSON.stringify({ x: 'x'.repeat(1000) })
      let left = 40
      const timer = setInterval(() => {
        for (let i = 0; i < 1000; i++) log.line(line)
        if (--left > 0) return
        clearInterval(timer)
        process.stderr.write(JSON.stringify({ dropped: log.dropped, rss: process.memoryUsage().rss }))
        process.exit(0)
      }, 1)`),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  // Standard output is not read: the pipe fills up.
  child.stdout.pause()
  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  const { dropped, rss } = JSON.parse(said.toString()) as { dropped: number; rss: number } // as printed above
  assert.ok(dropped > 10_000 && dropped < 40_000, `${dropped} dropped`)
  assert.ok(rss < 300e6, `${rss} bytes`)
})

test('log: a reader that goes away does not end the program', async (t) => {
  const child = spawn(
    process.execPath,
    program(`
      const log = new Log('info')
      setInterval(() => log.info('line'), 5)
      setTimeout(() => { process.stderr.write('alive'); process.exit(0) }, 700)`),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  assert.equal(said.toString(), 'alive')
})
