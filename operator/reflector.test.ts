import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { ApiServer } from './api-server.ts'
import { listen, portOf } from './listen.ts'
import { Reflector } from './reflector.ts'

type Handle = (url: URL, response: ServerResponse, call: number) => void

/** A collection `/things` on a real port, answered by `handle`; each call has its number. */
async function collection(t: TestContext, handle: Handle) {
  let calls = 0
  const seen: URL[] = []
  const server = await listen(
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://api')
      seen.push(url)
      handle(url, response, ++calls)
    },
    '127.0.0.1',
    0,
  )
  const directory = mkdtempSync(join(tmpdir(), 'reflector-'))
  const kubeconfig = join(directory, 'config')
  const cluster = { server: `http://127.0.0.1:${portOf(server)}`, 'insecure-skip-tls-verify': true }
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  const api = await ApiServer.connect(kubeconfig)
  const changes: string[] = []
  const waiting = new Set<() => void>()
  const reflector = new Reflector<{ v: string }>(
    api,
    { path: '/things', trim: ({ metadata }) => ({ v: metadata.labels?.['v'] ?? '' }) },
    (name, now) => {
      changes.push(`${name}=${now?.v ?? '-'}`)
      for (const wake of waiting) wake()
    },
    pino({ level: 'silent' }),
  )
  t.after(async () => {
    await reflector.stop()
    await api.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(directory, { recursive: true })
  })
  /** Resolves when that many changes have been told. */
  const told = async (count: number) => {
    while (changes.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      await promise
      waiting.delete(resolve)
    }
    return changes
  }
  return { reflector, told, seen }
}

const object = (name: string, v: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'n', labels: { v }, resourceVersion },
})
const list = (items: object[], resourceVersion: string, more?: string) =>
  JSON.stringify({ metadata: { resourceVersion, ...(more ? { continue: more } : {}) }, items })
const event = (type: string, it: object) => `${JSON.stringify({ type, object: it })}\n`

test('reflector: lists in pages, then watches from there, and tells each change once', async (t) => {
  const { reflector, told, seen } = await collection(t, (_, response, call) => {
    if (call === 1) response.end(list([object('a', '1', '5')], '9', 'more'))
    else if (call === 2) response.end(list([object('b', '1', '6')], '10'))
    else if (call === 3)
      response.write(
        event('MODIFIED', object('a', '1', '11')) +
          event('MODIFIED', object('a', '2', '12')) +
          event('DELETED', object('b', '1', '13')),
      )
  })
  await reflector.synced
  assert.deepEqual(await told(4), ['n/a=1', 'n/b=1', 'n/a=2', 'n/b=-'])
  assert.equal(seen[1]?.searchParams.get('continue'), 'more')
  assert.equal(seen[2]?.searchParams.get('resourceVersion'), '10')
  assert.equal(seen[2]?.searchParams.get('allowWatchBookmarks'), 'true')
  assert.deepEqual([...reflector.items.keys()], ['n/a'])
})

test('reflector: a watch that ends is resumed from the last version told of, bookmarks included', async (t) => {
  const { told, seen } = await collection(t, (_, response, call) => {
    if (call === 1) response.end(list([], '10'))
    else if (call === 2) response.end(event('BOOKMARK', { metadata: { resourceVersion: '40' } }))
    else if (call === 3) response.write(event('ADDED', object('a', '1', '41')))
  })
  assert.deepEqual(await told(1), ['n/a=1'])
  assert.equal(seen[2]?.searchParams.get('resourceVersion'), '40')
})

for (const [what, end] of [
  [
    'as an event',
    (response: ServerResponse) =>
      void response.end(event('ERROR', { code: 410, reason: 'Expired', message: 'too old' })),
  ],
  ['as an answer', (response: ServerResponse) => void response.writeHead(410).end('{"reason":"Expired"}')],
] as const)
  test(`reflector: a version that is too old, told ${what}, is listed anew, and what has gone meanwhile goes then`, async (t) => {
    const { reflector, told, seen } = await collection(t, (_, response, call) => {
      if (call === 1) response.end(list([object('a', '1', '1'), object('b', '1', '2')], '10'))
      else if (call === 2) end(response)
      else if (call === 3) response.end(list([object('b', '2', '20'), object('c', '1', '21')], '30'))
    })
    assert.deepEqual((await told(5)).slice(2), ['n/b=2', 'n/c=1', 'n/a=-'])
    assert.equal(seen[2]?.searchParams.get('watch'), null)
    assert.deepEqual([...reflector.items.keys()].sort(), ['n/b', 'n/c'])
  })

test('reflector: errors and cut connections empty nothing, and it goes on after a while', async (t) => {
  const { reflector, told } = await collection(t, (_, response, call) => {
    if (call === 1) response.end(list([object('a', '1', '1')], '10'))
    else if (call === 2) {
      response.write('{"type":"MODIF')
      setTimeout(() => response.destroy(), 20)
    } else if (call === 3) response.writeHead(500).end('out of order')
    else if (call === 4) response.writeHead(200).write(event('MODIFIED', object('a', '2', '11')))
  })
  assert.deepEqual(await told(2), ['n/a=1', 'n/a=2'])
  assert.equal(reflector.items.size, 1)
})

test('reflector: it is not synced before a list has come through', async (t) => {
  let synced = false
  const { reflector } = await collection(t, (_, response, call) => {
    if (call < 3) {
      assert.equal(synced, false)
      response.writeHead(503).end()
    } else if (call === 3) response.end(list([], '10'))
  })
  await reflector.synced
  synced = true
})

test('reflector: what was changed within a character is put together', async (t) => {
  const text = event('ADDED', object('a', 'grün €', '11'))
  const bytes = Buffer.from(text)
  const { told } = await collection(t, (_, response, call) => {
    if (call === 1) return void response.end(list([], '10'))
    if (call !== 2) return
    const middle = bytes.indexOf(0x82) // within the euro sign
    response.write(bytes.subarray(0, middle))
    setTimeout(() => response.write(bytes.subarray(middle)), 20)
  })
  assert.deepEqual(await told(1), ['n/a=grün €'])
})
