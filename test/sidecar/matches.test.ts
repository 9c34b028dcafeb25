import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledMatch, CompiledRule } from '../../api/compiled.ts'
import { explain } from '../../core/explain.ts'
import { compiled, dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const match = (part: Partial<CompiledMatch>): CompiledMatch => ({ headers: [], ...part })
const text = (part: object): CompiledMatch => match({ text: { in: 'LastUser', ignoreCase: true, ...part } })

/** A sidecar whose rule `first` has those matches, and asks `a`; all else is asked of `b`. */
async function sidecar(t: TestContext, matches: readonly CompiledMatch[]) {
  const [a, b] = await upstreams(t, {}, {})
  const endpoints = [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)]
  const having = (all: readonly CompiledMatch[]) => ({
    routes: [route('chat', [rule([target('a')], { name: 'first', matches: all }), rule([target('b')])])],
    endpoints,
  })
  const { path, url, apply } = await dataPath(t, having(matches))
  const ask = async (at: string, body: unknown) => {
    const sent = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(`${url}${at}`, { method: 'POST', body: sent })
    return { status: answer.status, rule: answer.headers.get('x-tradewind-rule'), said: await answer.text() }
  }
  const chat = (content: string) =>
    ask('/v1/chat/completions', { model: 'chat', messages: [{ role: 'user', content }] })
  return { a, b, path, url, ask, chat, change: (all: readonly CompiledMatch[]) => apply(having(all)) }
}

test('matches: a pattern that is none, and a zone that nobody knows, are refused with their place, and what was in force serves on', async (t) => {
  const { chat, change } = await sidecar(t, [text({ contains: ['hello'] })])
  const [pattern] = change([text({ pattern: 'a(?!b)' })])
  assert.equal(pattern?.path, '/rules/0/matches/0/text/pattern')
  assert.match(pattern.message, /invalid or unsupported Perl syntax/)
  const [large] = change([text({ pattern: '.{900}' })])
  assert.equal(large?.message, 'the pattern is too large: .{900}')
  const [zone] = change([
    match({ not: match({ schedule: { timeZone: 'Mars/Base', days: ['Mon'], from: '00:00', to: '24:00' } }) }),
  ])
  assert.equal(zone?.path, '/rules/0/matches/0/not/schedule/timeZone')
  assert.equal((await chat('Hello')).rule, 'first')
  assert.deepEqual(change([text({ pattern: 'bye' })]), [])
  assert.equal((await chat('Hello')).rule, 'all')
})

test('matches: no text makes a pattern take more time than its length', async (t) => {
  const { chat } = await sidecar(t, [text({ pattern: '^(a+)+(a|aa)*$' }), text({ pattern: '(x+x+)+y' })])
  // An engine that goes back and tries again would not come to an end.
  assert.equal((await chat(`${'a'.repeat(30_000)}!`)).rule, 'all')
  assert.equal((await chat('x'.repeat(30_000))).rule, 'all')
  assert.equal((await chat('a'.repeat(1000))).rule, 'first')
})

test('matches: what is looked into goes on as it came', async (t) => {
  const { a, ask } = await sidecar(t, [text({ contains: ['hello'], in: 'Conversation' })])
  const messages = [{ role: 'user', content: 'Hello', mood: 'good' }]
  assert.equal((await ask('/v1/chat/completions', { model: 'chat', messages, own: { field: 1 } })).rule, 'first')
  const { model: _, ...sent } = JSON.parse(a.requests()[0]?.body ?? '{}')
  assert.deepEqual(sent, { messages, own: { field: 1 } })
})

test('matches: what could not be translated is for a target of its own dialect all the same', async (t) => {
  const { ask } = await sidecar(t, [text({ contains: ['two'] })])
  const answer = await ask('/v1/completions', { model: 'chat', prompt: ['one', 'two'] })
  assert.deepEqual([answer.status, answer.rule], [200, 'first'])
})

test('matches: a bad request is refused in the words of its own API', async (t) => {
  const { ask } = await sidecar(t, [text({ contains: ['hello'] })])
  const openai = await ask('/v1/chat/completions', '{"model":"chat","messages":[{"role":"user","content":"\\x"}]}')
  assert.equal(openai.status, 400)
  assert.equal(JSON.parse(openai.said).error.code, 'invalid_json')
  const anthropic = await ask(
    '/v1/messages',
    '{"model":"chat","max_tokens":9,"messages":[{"role":"user","content":"\\x"}]}',
  )
  assert.equal(anthropic.status, 400)
  assert.equal(JSON.parse(anthropic.said).type, 'error')
  // Its fields are wrong, not its JSON: the target's dialect says so, as it does without rules that look into it.
  const untranslatable = await ask('/v1/messages', {
    model: 'chat',
    max_tokens: 9,
    messages: [{ role: 'robot', content: 'Hello' }],
  })
  assert.equal(untranslatable.status, 400)
  assert.equal(JSON.parse(untranslatable.said).error.type, 'invalid_request_error')
})

test('matches: the content of what is passed through is not looked into; its headers and the time are', async (t) => {
  const [a, b] = await upstreams(t, {}, {})
  const http = { provider: { type: 'HTTP' as const }, models: [{ name: '', rank: 0, defaults: {}, force: {} }] }
  const path = { type: 'Prefix' as const, value: '/api' }
  const to = (name: string) => target(name, { model: '' })
  const rules: readonly CompiledRule[] = [
    rule([to('a')], {
      name: 'words',
      matches: [match({ path, text: { in: 'LastUser', ignoreCase: true, contains: ['hello'] } })],
    }),
    rule([to('a')], { name: 'few', matches: [match({ path, tokens: { max: 1000 } })] }),
    rule([to('b')], { name: 'task', matches: [match({ path, task: ['legal'] })] }),
    rule([to('b')], { name: 'tier', matches: [match({ path, tier: ['free'] })] }),
  ]
  const { url } = await dataPath(t, {
    routes: [route('api', rules, { models: [], caller: { tier: { header: 'x-tier', default: 'free' } } })],
    endpoints: [endpoint('a', a.url, http), endpoint('b', b.url, http)],
  })
  const passed = async (headers: Record<string, string>) =>
    (
      await fetch(`${url}/api/x`, { method: 'POST', body: '{"messages":[{"role":"user","content":"hello"}]}', headers })
    ).headers.get('x-tradewind-rule')
  assert.equal(await passed({}), 'tier')
  assert.equal(await passed({ 'x-tradewind-task': 'legal' }), 'task')
})

test('matches: a configuration of before there were any loads as it did', async (t) => {
  const { chat, path } = await sidecar(t, [match({ model: { value: 'cha', prefix: true } })])
  assert.equal((await chat('Hello')).rule, 'first')
  const old = route('chat', [rule([target('a')])])
  assert.equal(old.caller, undefined)
  assert.deepEqual(
    path.configuration.apply(compiled({ routes: [old], endpoints: [endpoint('a', 'http://127.0.0.1:9/v1')] })),
    [],
  )
})

test('matches: what is explained is what is done, with the body and without', async (t) => {
  const cases = [
    text({ contains: ['hello'] }),
    match({ task: ['math'] }),
    match({ tokens: { min: 20 } }),
    match({ language: ['Cyrillic'] }),
    match({ input: ['Code'], not: match({ tools: true }) }),
  ]
  const prompts = ['Hello', 'Solve 2 + 2', 'Привет', '```\nx\n```', 'word '.repeat(40)]
  const { path, chat, change } = await sidecar(t, [])
  for (const each of cases) {
    assert.deepEqual(change([each]), [])
    const { runtime } = path.configuration
    assert.ok(runtime)
    for (const content of prompts) {
      const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content }] })
      const told = { model: '', path: '/v1/chat/completions', header: () => undefined, body }
      const said = explain(runtime.table, told, path.deps.now(), path.deps.wall())
      assert.equal((await chat(content)).rule, said.rule, `${JSON.stringify(each)} ${content}`)
      if (said.rule === 'all') assert.ok((said.passed[0]?.why ?? '').length > 10)
    }
  }
})
