import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Outcome } from '../../operator/notifications/delivery.ts'
import { Notifier } from '../../operator/notifications/notifier.ts'
import { readSubscriptions } from '../../operator/notifications/subscription.ts'
import type { RolloutView } from '../../operator/rollouts.ts'
import { eventually } from '../helpers/eventually.ts'
import { rolloutView } from '../helpers/scripted-rollouts.ts'

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver on a real port, which answers each time with the next of `statuses` (200 when there are none left; 0: it hangs up). */
async function receiver(t: TestContext, ...statuses: readonly number[]) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    void request
      .setEncoding('utf8')
      .toArray()
      .then((parts) => {
        const status = statuses[heard.length] ?? 200
        heard.push({ headers: request.headers, body: parts.join('') })
        if (status === 0) response.destroy()
        else response.writeHead(status).end()
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` // it listens on a port
  return { url, heard }
}

/** A leader's notifier over rollouts that the test sets. */
function notifier(t: TestContext, subscriptions: readonly object[]) {
  const outcomes: Outcome[] = []
  let views: readonly RolloutView[] = []
  const read = readSubscriptions(JSON.stringify(subscriptions), { SECRET: 'a secret of length' })
  const made = () => {
    const it = new Notifier(read, () => views, { backOff: 20, outcome: (outcome) => void outcomes.push(outcome) })
    t.after(() => it.stop())
    return it
  }
  const one = made()
  one.lead(true)
  const set = (...now: readonly RolloutView[]) => {
    views = now
    one.changed(now[0]?.route)
  }
  return { outcomes, set, one, made }
}

const view = (phase: RolloutView['phase'], over: Partial<RolloutView> = {}) =>
  rolloutView('ai/chat', 'all', {
    phase,
    since: new Date().toISOString(),
    reason: 'ErrorRate',
    message: 'Worse.',
    ...over,
  })

test('notifications: a signed CloudEvent for each change of phase, in order, once', async (t) => {
  const { url, heard } = await receiver(t)
  const { set, outcomes } = notifier(t, [{ url, secret: '${SECRET}' }])
  const progressing = view('Progressing')
  set(progressing)
  set({ ...progressing, step: 3, weight: 25 })
  set(view('RollingBack'))
  const last = view('RolledBack', { weight: 0, harmed: 7 })
  set(last)
  await eventually(() => assert.equal(heard.length, 3))
  assert.deepEqual(
    heard.map(({ body }) => (JSON.parse(body) as { type: string }).type), // an event
    ['progressing', 'rollingback', 'rolledback'].map((it) => `dev.tradewind.rollout.${it}`),
  )
  const { headers, body } = heard[2] ?? { headers: {}, body: '' }
  assert.equal(headers['content-type'], 'application/cloudevents+json')
  const { id, ...event } = JSON.parse(body) as { id: string } // an event
  assert.deepEqual(event, {
    specversion: '1.0',
    source: '/apis/tradewind.dev/v1alpha1/namespaces/ai/modelroutes/chat',
    subject: 'all',
    type: 'dev.tradewind.rollout.rolledback',
    time: last.since,
    datacontenttype: 'application/json',
    text: 'Rollout of ai/chat, rule all: RolledBack (ErrorRate). Worse.',
    data: last,
  })
  assert.equal(headers['webhook-id'], id)
  const signature = createHmac('sha256', 'a secret of length')
    .update(`${id}.${String(headers['webhook-timestamp'])}.${body}`)
    .digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${signature}`)
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60)
  assert.deepEqual(outcomes, ['delivered', 'delivered', 'delivered'])
})

test('notifications: only the phases and namespaces that were asked for, and text alone as chats take it', async (t) => {
  const { url, heard } = await receiver(t)
  const { set } = notifier(t, [
    {
      url,
      format: 'Text',
      on: ['Promoted', 'RolledBack'],
      namespaces: ['ai'],
      template: '{rule} of {route} at {step}/{steps}: {weight} % by {by}',
    },
  ])
  set(view('Progressing'))
  set({ ...view('Promoted'), route: 'other/chat' })
  set(view('Promoted', { step: 5, weight: 100, by: 'ada' }))
  await eventually(() => assert.equal(heard.length, 1))
  assert.equal(heard[0]?.body, '{"text":"all of ai/chat at 6/6: 100 % by ada"}')
  assert.equal(heard[0]?.headers['content-type'], 'application/json')
  assert.equal(heard[0]?.headers['webhook-signature'], undefined)
})

test('notifications: a receiver that fails is asked again, by one id, and one that refuses is not', async (t) => {
  const failing = await receiver(t, 500, 0, 429)
  const refusing = await receiver(t, 400)
  const { set, outcomes } = notifier(t, [{ url: failing.url }, { url: refusing.url }])
  set(view('Paused'))
  await eventually(() => assert.equal(failing.heard.length, 4))
  await eventually(() => assert.equal(outcomes.length, 5))
  assert.equal(new Set(failing.heard.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.equal(refusing.heard.length, 1)
  assert.deepEqual(outcomes.toSorted(), ['delivered', 'failed', 'retried', 'retried', 'retried'])
})

test('notifications: it is given up after eight tries, and the next one is told', async (t) => {
  const { url, heard } = await receiver(t, ...Array.from({ length: 8 }, () => 503))
  const { set, outcomes } = notifier(t, [{ url }])
  set(view('Paused'))
  set(view('Progressing'))
  await eventually(() => assert.equal(outcomes.at(-1), 'delivered'), { within: 15_000 })
  assert.deepEqual(outcomes, [...Array.from({ length: 7 }, () => 'retried'), 'failed', 'delivered'])
  assert.equal(heard.length, 9)
})

test('notifications: what did not arrive before the leader changed the next one tells, by the same id; what is old it does not', async (t) => {
  const { url, heard } = await receiver(t, 503, 503)
  const { set, one, made } = notifier(t, [{ url }])
  const old = { ...view('Promoted', { since: new Date(Date.now() - 3_600_000).toISOString() }), rule: 'old' }
  set(old, view('RolledBack'))
  await eventually(() => assert.ok(heard.length >= 1))
  one.lead(false)
  assert.equal(one.waiting, 0)
  const next = made()
  next.changed('ai/chat')
  assert.equal(next.waiting, 0, 'it does not lead')
  next.lead(true)
  await eventually(() => assert.equal(next.waiting, 0))
  assert.equal(new Set(heard.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.match(heard.at(-1)?.body ?? '', /rolledback/)
})

for (const [what, text, why] of [
  ['no JSON', '[', /^it must be a JSON list$/],
  ['no list', '{}', /^it: /],
  ['an unknown member', '[{"url":"https://a.test","to":"x"}]', /\[0\]\.to: /],
  ['no URL', '[{"url":"a.test/token"}]', /^\[0\]\.url: it must be a URL, or a secret/],
  ['a short secret', '[{"url":"https://a.test","secret":"1234"}]', /^\[0\]\.secret: /],
  ['an unknown phase', '[{"url":"https://a.test","on":["Failed"]}]', /^\[0\]\.on\[0\]: .*Promoted/],
  [
    'an unknown word',
    '[{"url":"https://a.test","template":"{user}"}]',
    /^\[0\]\.template: there is no \{user\}; there are \{route\}, /,
  ],
  ['a variable that is not set', '[{"url":"${NOWHERE}"}]', /^the variable NOWHERE is not set$/],
] as const)
  test(`notifications: ${what} is refused, and nothing secret said`, () => {
    assert.throws(
      () => readSubscriptions(text, {}),
      (error: Error) => {
        assert.match(error.message, why)
        assert.doesNotMatch(error.message, /token|1234/)
        return true
      },
    )
  })
