import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { request } from 'undici'
import type { MirrorStatus } from '../../api/mirror.ts'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { says } from '../helpers/ladder.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { program, run } from './running.ts'

test('mirror: the status of a route says how the candidate fares, and so do tradewind status, the metrics, the decision log and the log', async (t) => {
  const folder = scratch('mirror')
  t.after(() => rmSync(folder, { recursive: true }))
  const [own, candidate, judge] = await upstreams(
    t,
    { faults: [says('The answer is 42.')] },
    { faults: [says('The answer is 42')] },
    { faults: [says('7')] },
  )
  const head = (kind: string, name: string) =>
    `apiVersion: tradewind.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ai }\n`
  const endpoint = (name: string, url: string, price: string) =>
    `${head('ModelEndpoint', name)}spec:\n  provider: { type: OpenAICompatible }\n  address: { type: URL, url: "${url}/v1" }\n  models: [{ name: ${name}-1, price: { input: "${price}", output: "${price}" } }]\n`
  const manifests = [
    endpoint('own', own.url, '10'),
    endpoint('candidate', candidate.url, '1'),
    endpoint('judge', judge.url, '0'),
    `${head('ModelRoute', 'chat')}spec:
  models: [chat]
  rules:
    - name: all
      targets: [{ endpoint: { name: own } }]
      mirror:
        target: { name: candidate }
        percent: 100
        budget: { spendPercent: 1000 }
        judge: { endpoint: { name: judge }, percent: 100 }
`,
  ]
  writeFileSync(join(folder, 'all.yaml'), manifests.join('---\n'))
  const decisions = join(folder, 'decisions.jsonl')
  const { url, admin } = await run(t, folder, [], {
    TRADEWIND_DECISIONS: 'file',
    TRADEWIND_DECISIONS_FILE: decisions,
  })
  const ask = async (maxTokens = 10) => {
    const messages = [{ role: 'user', content: 'What is six times seven?' }]
    const body = JSON.stringify({ model: 'chat', messages, max_tokens: maxTokens })
    await (await request(`${url}/v1/chat/completions`, { method: 'POST', body })).body.dump()
  }
  const status = () => runProgram(process.execPath, [program, 'status', '--admin', admin, '-o', 'json'])
  const mirror = async (): Promise<MirrorStatus | undefined> => {
    const { routes } = JSON.parse((await status()).stdout) as { routes: { status: { mirrors?: MirrorStatus[] } }[] }
    return routes[0]?.status.mirrors?.[0]
  }
  assert.partialDeepStrictEqual(await mirror(), {
    ...{ rule: 'all', target: 'candidate/candidate-1', requests: 0, compared: 0, judged: 0, skipped: [] },
    cap: '1000 % of what the rule’s requests cost',
  })
  // The first has nothing to spend yet.
  for (let i = 0; i < 5; i++) await ask()
  await ask(1_000_000)
  await eventually(
    async () => {
      const { requests: n = 0, judged, skipped = [] } = (await mirror()) ?? {}
      assert.equal(n + skipped.reduce((sum, { count }) => sum + count, 0), 6)
      assert.ok(n >= 1 && judged === n)
    },
    { within: 20_000 },
  )
  const found = await mirror()
  assert.equal(found?.agreement, '1')
  assert.deepEqual([found.candidate.mark, found.current.mark], ['0.7', '0.7'])
  assert.ok(Number(found.candidate.p50) > 0 && Number(found.current.p95) > 0)
  assert.ok(Number(found.candidate.cost) * 9 < Number(found.current.cost))
  assert.ok(Number(found.spent) > 0)
  assert.ok(found.skipped.some(({ reason }) => reason === 'unaffordable'))

  const { code, stdout } = await runProgram(process.execPath, [program, 'status', '--admin', admin])
  assert.equal(code, 0)
  assert.match(stdout, /MIRROR .*\n.*candidate\/candidate-1 +\d +100 % of \d +0 for 0 +.* USD +\d unaffordable/)
  const explained = await runProgram(process.execPath, [program, 'explain', '--model', 'chat', '--admin', admin])
  assert.match(
    explained.stdout,
    /^Mirror: 100 % of such requests are sent to ai\/candidate candidate-1 as well, once callers have/m,
  )
  const metrics = await (await request(`${admin}/metrics`)).body.text()
  const labels = 'route="ai/chat",rule="all",endpoint="ai/candidate",model="candidate-1"'
  for (const line of [
    `tradewind_mirrored_total{${labels},outcome="answered"} ${found.requests}`,
    `tradewind_mirror_agreement_total{${labels},alike="true"} ${found.requests}`,
    `tradewind_mirror_spent_usd_total{${labels}} 0.0`,
  ])
    assert.ok(metrics.includes(line), line)
  assert.match(metrics, /tradewind_attempts_total\{[^}]*endpoint="ai\/candidate"[^}]*why="mirror"[^}]*\} \d+/)
  await eventually(() => {
    const lines = readFileSync(decisions, 'utf8').trim().split('\n')
    const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const mirrors = read.filter(({ msg }) => msg === 'mirror')
    assert.equal(mirrors.length, found.requests)
    const marks = { current: 0.7, candidate: 0.7 }
    assert.partialDeepStrictEqual(mirrors[0], {
      route: 'ai/chat',
      rule: 'all',
      outcome: 'answered',
      alike: true,
      marks,
    })
    const decision = read.find(({ msg, id }) => msg === 'decision' && id === mirrors[0]?.['id'])
    assert.equal(decision?.['mirror'], 'ai/candidate candidate-1')
    assert.ok(lines.every((line) => !line.includes('seven') && !line.includes('The answer')))
  })
})
