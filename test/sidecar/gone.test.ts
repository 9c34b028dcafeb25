import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

// A header that the express lane leaves to node's own server.
for (const [where, headers] of [
  ['express lane', {}],
  ['server', { 'transfer-encoding': 'chunked' }],
] as const)
  test(`gone: a stream that begins when its connection has ended, and nobody has said so yet, ends with it: ${where}`, async (t) => {
    const [mock] = await upstreams(t, { ttft: '150ms', tokens: 400, tokensPerSecond: 100 })
    const { path, port, telemetry } = await dataPath(t, {
      routes: [route('chat', [rule([target('a')])])],
      endpoints: [endpoint('a', `${mock.url}/v1`)],
    })
    let socket: Socket | undefined
    let ended = false
    // As it is between the moment that a connection ends and the one that it is told of.
    const pretend = (it: object) => {
      let own = false
      Object.defineProperty(it, 'destroyed', {
        get: () => ended || own,
        set(is: boolean) {
          own = is
        },
      })
    }
    path.traffic.server.on('connection', (it: Socket) => {
      socket = it
      if (where === 'express lane') pretend(it)
    })
    path.traffic.server.on('request', (_, response) => pretend(response))
    const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent: false, headers })
    outgoing.on('error', () => {})
    outgoing.end(JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hello' }] }))
    await eventually(() => assert.equal(mock.stats().open, 1))
    ended = true
    // Its first events have come.
    await sleep(400)
    ended = false
    socket?.destroy()
    await eventually(() => assert.equal(telemetry.exchanges.length, 1))
    assert.equal(telemetry.exchanges[0]?.code, 'client_closed')
    await eventually(() => assert.equal(path.traffic.busy, 0))
    await eventually(() => assert.equal(mock.stats().open, 0))
  })
