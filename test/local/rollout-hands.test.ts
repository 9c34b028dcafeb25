import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { request } from 'undici'
import { events } from '../../cli/rollout/events.ts'
import { rolloutPages } from '../../cli/local/rollout-pages.ts'
import { Watch } from '../../operator/watch.ts'
import type { WatchState } from '../../operator/watch.ts'
import { jsonServer } from '../../sidecar/json-server.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { ScriptedRollouts, rolloutView } from '../helpers/scripted-rollouts.ts'
import { root } from './running.ts'

/** The pages of a local run over scripted rollouts. */
async function pages(t: TestContext) {
  const engine = new ScriptedRollouts()
  const overview: Omit<WatchState, 'rollouts' | 'experiments'> = { routes: [], endpoints: [], sidecars: [] }
  const state = { ...overview, looks: 0 }
  const watch: Watch = new Watch({
    now: () => performance.now(),
    state: () => {
      state.looks++
      return { ...overview, sidecars: state.sidecars, rollouts: engine.views() }
    },
  })
  engine.onChange(() => watch.changed())
  const server = jsonServer(rolloutPages(engine, watch)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  const tradewind = (...args: readonly string[]) =>
    runProgram(process.execPath, ['cli/main.ts', 'rollout', ...args, '--admin', url], { cwd: root })
  /** What a watch has told so far. */
  const watching = async (query = '') => {
    const stop = new AbortController()
    const response = await request(`${url}/v1/watch${query}`, { signal: stop.signal })
    const told: { name: string; data: Record<string, unknown>; at: number }[] = []
    const ended = (async () => {
      for await (const { name, data } of events(response.body))
        told.push({ name, data: JSON.parse(data) as Record<string, unknown>, at: performance.now() }) // an event's object
    })().catch(() => {})
    t.after(() => stop.abort())
    return { response, told, ended, stop: () => stop.abort() }
  }
  return { engine, watch, state, url, tradewind, watching }
}

test('watch: the state first, then whole items that differ, at most four times a second', async (t) => {
  const { engine, watching } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all'), rolloutView('ai/code', 'all'))
  const { response, told } = await watching('?parts=rollouts')
  assert.equal(response.headers['content-type'], 'text/event-stream')
  await eventually(() => assert.equal(told.length, 1))
  assert.deepEqual(Object.keys(told[0]?.data ?? {}), ['rollouts', 'experiments'])
  assert.equal(listed(told[0]).length, 2)
  const begun = performance.now()
  for (let weight = 1; weight <= 100; weight++) {
    engine.set(rolloutView('ai/chat', 'all', { weight }))
    await sleep(10)
  }
  await eventually(() => assert.equal(weightOf(told.at(-1)), 100))
  assert.deepEqual(told[1]?.data['gone'], { rollouts: ['ai/code/all'] })
  const most = 3 + (performance.now() - begun) / 250
  assert.ok(told.length >= 3 && told.length <= most, `${told.length} events, of ${most} at most`)
})

const listed = (event: { readonly data: Record<string, unknown> } | undefined): readonly unknown[] => {
  const rollouts = event?.data['rollouts']
  assert.ok(Array.isArray(rollouts))
  return rollouts
}

const weightOf = (event: { readonly data: Record<string, unknown> } | undefined): number =>
  (event?.data as { set: { rollouts: { weight: number }[] } } | undefined)?.set?.rollouts?.[0]?.weight ?? -1 // a change

test('watch: only the namespace and the parts that were asked for', async (t) => {
  const { engine, state, watch, watching } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all'), rolloutView('other/chat', 'all'))
  const [one, all, bad] = await Promise.all([
    watching('?namespace=ai'),
    watching(),
    watching('?parts=rollouts,secrets'),
  ])
  assert.equal(bad.response.statusCode, 400)
  await eventually(() => assert.ok(one.told.length > 0 && all.told.length > 0))
  assert.equal(listed(one.told[0]).length, 1)
  Object.assign(state, { sidecars: [{ pod: 'other/app', connected: true, lacks: [], routes: [] }] })
  watch.changed()
  await eventually(() => assert.match(JSON.stringify(all.told.at(-1)?.data), /other\/app/))
  assert.equal(one.told.length, 1)
})

test('watch: nobody looks while nobody watches, and one who does not read is merged, then let go of', async (t) => {
  const { engine, state, url, watching } = await pages(t)
  const large = 'x'.repeat(1_000_000)
  engine.set(rolloutView('ai/chat', 'all', { message: large }))
  engine.set(rolloutView('ai/chat', 'all', { message: `${large}1` }))
  assert.equal(state.looks, 0)
  const deaf = get(`${url}/v1/watch`)
  const [answer] = await once(deaf, 'response')
  answer.pause()
  const { told, stop } = await watching()
  for (let at = 0; at < 16; at++) {
    engine.set(rolloutView('ai/chat', 'all', { message: `${large}${at}`, weight: at }))
    await eventually(() => assert.equal(weightOf(told.at(-1)), at))
  }
  // 16 changes of 1 MB each, of which the one who reads again gets what fits into sockets, and then the last.
  let read = ''
  answer.setEncoding('utf8').on('data', (text: string) => (read += text))
  answer.resume()
  await eventually(() => assert.match(read, /"weight":15/))
  assert.ok(read.split('event: change').length < 16, 'changes were merged')
  stop()
  deaf.destroy()
  const { looks } = state
  await eventually(() => {
    engine.set(rolloutView('ai/chat', 'all'))
    assert.equal(state.looks, looks)
  })
})

test('watch: it says why it ends', async (t) => {
  const { engine, watch, watching } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all'))
  const { told, ended } = await watching()
  await eventually(() => assert.equal(told.length, 1))
  watch.end('Another replica leads now.')
  await ended
  assert.deepEqual(told.at(-1)?.data, { message: 'Another replica leads now.' })
})

test('rollouts: what is posted must be JSON, a verb, and for one that is there', async (t) => {
  const { engine, url } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all'))
  const post = async (path: string, body: string, type = 'application/json') => {
    const response = await fetch(`${url}/v1/rollouts/${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    })
    return { status: response.status, text: await response.text() }
  }
  assert.equal((await post('ai/chat/all', '{"action":"promote"}', 'text/plain')).status, 415)
  assert.equal((await post('ai/chat/all', '{"action":"promote"}', 'application/x-www-form-urlencoded')).status, 415)
  const unknown = await post('ai/chat/all', '{"action":"explode"}')
  assert.equal(unknown.status, 400)
  assert.match(unknown.text, /pause, resume, promote, abort, retry/)
  assert.equal((await post('ai/chat/all', '{')).status, 400)
  assert.equal((await fetch(`${url}/v1/rollouts/ai/chat/all`)).status, 200)
  assert.equal((await fetch(`${url}/v1/rollouts/ai/chat/some`)).status, 404)
  const missing = await post('ai/chat/some', '{"action":"promote"}')
  assert.equal(missing.status, 404)
  assert.match(missing.text, /has no rollout in rule some\. It has rollouts in: all\./)
  assert.equal((await post('ai/chat', '{"action":"promote"}')).status, 404)
  assert.deepEqual(engine.done, [])
  const { status, text } = await post('ai/chat/all', '{"action":"promote"}', 'application/json; charset=utf-8')
  assert.equal(status, 200)
  assert.equal((JSON.parse(text) as { rollout: { phase: string } }).rollout.phase, 'Promoted') // what it answers with 200
  assert.deepEqual(engine.done, ['promote ai/chat all by local'])
})

test('tradewind rollout status: a table of all, and all of one', async (t) => {
  const { engine, tradewind } = await pages(t)
  assert.match((await tradewind('status')).stdout, /No rule has a rollout here/)
  engine.set(
    rolloutView('ai/chat', 'all', { waiting: 12, waitsFor: ['ai/app-1', 'ai/app-2'] }),
    rolloutView('ai/code', 'tests'),
  )
  const all = await tradewind('status')
  assert.equal(all.code, 0)
  assert.match(all.stdout, /^ROUTE +RULE +CANARY +PHASE +STEP +WEIGHT +SAMPLES +EVIDENCE +SINCE\n/)
  assert.match(
    all.stdout,
    /^ai\/chat +all +openai\/gpt-new +Progressing +3\/6 +10 % +213\/1893 +ErrorRate 3\.162 of 60 +\d+m\d+s$/m,
  )
  const one = await tradewind('status', 'ai/chat')
  assert.match(one.stdout, /step +●●◉○○○ {2}3\/6, for \d+m\d+s/)
  assert.match(one.stdout, /waits for +12 sidecars: ai\/app-1, ai\/app-2 and 10 more/)
  assert.match(
    one.stdout,
    /^ErrorRate +0\.02 +███░{7} 3\.162 +60 +0\.014 +0\.011 +-0\.0123 … \+0\.0188 +213\/1893 +no harm$/m,
  )
  assert.match(one.stdout, /^Latency +0\.2 +░{10} 0\.4 +60 +- +- +- +0\/0 +nothing yet$/m)
  assert.equal(stripVTControlCharacters(one.stdout), one.stdout)
  const data = JSON.parse((await tradewind('status', 'code', '-o', 'json')).stdout) as { rollouts: unknown[] } // what it prints
  assert.deepEqual(data.rollouts, engine.views().slice(1))
  const missing = await tradewind('status', 'nothing')
  assert.equal(missing.code, 1)
  assert.match(
    missing.stderr,
    /There is no rollout of route nothing\. There are: ai\/chat \(rule all\), ai\/code \(rule tests\)\./,
  )
})

test('tradewind rollout status --wait: 0 promoted, 1 rolled back, 3 not in time', async (t) => {
  const { engine, tradewind } = await pages(t)
  for (const [phase, code] of [
    ['Promoted', 0],
    ['RolledBack', 1],
  ] as const) {
    engine.set(rolloutView('ai/chat', 'all'))
    const waiting = tradewind('status', 'ai/chat', '--wait')
    const timer = setTimeout(() => engine.set(rolloutView('ai/chat', 'all', { phase })), 1500)
    assert.equal((await waiting).code, code)
    clearTimeout(timer)
  }
  engine.set(rolloutView('ai/chat', 'all'))
  assert.equal((await tradewind('status', 'ai/chat', '--wait', '--timeout', '300ms')).code, 3)
})

test('tradewind rollout watch: a line for each change where it is no terminal, and it ends when the rollout does', async (t) => {
  const { engine, watch, tradewind } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all', { step: 0, weight: 1 }))
  const watched = tradewind('watch', 'chat')
  await eventually(() => assert.equal(watch.watching, 1), { within: 20_000 })
  engine.set(rolloutView('ai/chat', 'all', { step: 1, weight: 5 }))
  // It connects again where the connection ends.
  await sleep(600)
  watch.end('Another replica leads now.')
  await eventually(() => assert.equal(watch.watching, 0))
  await eventually(() => assert.equal(watch.watching, 1))
  engine.set(
    rolloutView('ai/chat', 'all', {
      phase: 'RollingBack',
      reason: 'ErrorRate',
      weight: 0,
      waiting: 1,
      waitsFor: ['ai/app'],
    }),
  )
  await sleep(600)
  engine.set(rolloutView('ai/chat', 'all', { phase: 'RolledBack', reason: 'ErrorRate', weight: 0 }))
  const { code, stdout, stderr } = await watched
  assert.equal(code, 1)
  assert.match(stderr, /note: Another replica leads now\./)
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((it) => /^\S+Z ai\/chat all (\S+) (\S+),/.exec(it)?.slice(1).join(' ')),
    ['Progressing 1/6', 'Progressing 2/6', 'RollingBack 3/6', 'RolledBack 3/6'],
  )
  assert.match(stdout, /waits for 1 sidecar/)
  assert.equal(stripVTControlCharacters(stdout), stdout)
})

test('tradewind rollout pause, resume, promote, abort, retry', async (t) => {
  const { engine, tradewind } = await pages(t)
  engine.set(rolloutView('ai/chat', 'all'), rolloutView('ai/chat', 'gold'), rolloutView('ai/code', 'all'))
  const ambiguous = await tradewind('pause', 'chat')
  assert.equal(ambiguous.code, 1)
  assert.match(ambiguous.stderr, /Route ai\/chat has rollouts in rules all, gold: name one by --rule\./)
  assert.match((await tradewind('pause', 'code')).stdout, /^ai\/code all Paused 3\/6, 10 %/)
  for (const verb of ['resume', 'abort'] as const)
    assert.equal((await tradewind(verb, 'ai/chat', '--rule', 'gold')).code, 0)
  const refused = await tradewind('promote', 'chat', '--rule', 'gold')
  assert.equal(refused.code, 1)
  assert.equal(refused.stderr, 'error: A rollout that is RolledBack cannot be told to promote: retry it.\n')
  assert.equal((await tradewind('retry', 'chat', '--rule', 'gold')).code, 0)
  assert.deepEqual(engine.done, [
    'pause ai/code all by local',
    'resume ai/chat gold by local',
    'abort ai/chat gold by local',
    'retry ai/chat gold by local',
  ])
  const nobody = await runProgram(
    process.execPath,
    ['cli/main.ts', 'rollout', 'status', '--admin', 'http://127.0.0.1:1'],
    { cwd: root },
  )
  assert.equal(nobody.code, 1)
  assert.match(nobody.stderr, /cannot be asked .*; is `tradewind run` listening there\?/)
})
