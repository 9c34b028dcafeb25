import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { request } from 'undici'
import { runProgram } from '../helpers/command.ts'
import { eventually } from '../helpers/eventually.ts'
import { says } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { completion, json, scripted } from '../helpers/scripted.ts'
import { scratch } from '../helpers/scratch.ts'
import { upstreams } from '../helpers/upstream.ts'
import { program, run } from './running.ts'

test('audit: the status of a route says that a promise was taken back, and so do the admin port, the metrics and the log', async (t) => {
  const folder = scratch('audit')
  t.after(() => rmSync(folder, { recursive: true }))
  const [weak, strong] = await upstreams(t, { faults: [says('Cheap words.')] }, { faults: [says('Strong words.')] })
  let mark = 9
  const judge = await scripted(t, (response, body) =>
    json(response, completion(body.includes('Cheap words.') ? `${mark}` : '9')),
  )
  const router = new Router(
    { weak: { chat: 0.9 }, strong: { chat: 0.9 } },
    { strong: 'strong', weak: 'weak', threshold: 0.4, expires: '2999-01-01' },
  )
  const head = (kind: string, name: string) =>
    `apiVersion: tradewind.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ai }\n`
  const endpoint = (name: string, url: string, rank: number) =>
    `${head('ModelEndpoint', name)}spec:\n  provider: { type: OpenAICompatible }\n  address: { type: URL, url: "${url}/v1" }\n  models: [{ name: ${name}, rank: ${rank} }]\n`
  const manifests = [
    endpoint('weak', weak.url, 1),
    endpoint('strong', strong.url, 2),
    endpoint('judge', judge.url.replace('/v1', ''), 3),
    `${head('ModelRoute', 'chat')}spec:
  models: [chat]
  rules:
    - targets: [{ endpoint: { name: weak } }, { endpoint: { name: strong } }]
      strategy: { type: Classifier, classifier: { artefact: { name: router }, floor: '0.05' } }
      audit: { percent: 100, judge: { endpoint: { name: judge } } }
`,
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: router, namespace: ai, labels: { tradewind.dev/use: artefact } }\nbinaryData: { artefact: ${Buffer.from(router.bytes).toString('base64')} }\n`,
  ]
  writeFileSync(join(folder, 'all.yaml'), manifests.join('---\n'))
  const decisions = join(folder, 'decisions.jsonl')
  const { url, admin } = await run(t, folder, [], {
    TRADEWIND_DECISIONS: 'file',
    TRADEWIND_DECISIONS_FILE: decisions,
  })
  const ask = async () => {
    const messages = [{ role: 'user', content: router.example('chat') }]
    const body = JSON.stringify({ model: 'chat', messages })
    const answer = await request(`${url}/v1/chat/completions`, { method: 'POST', body })
    await answer.body.text()
    return String(answer.headers['x-tradewind-reason'])
  }
  const read = async (path: string) => (await request(`${admin}${path}`)).body.text()
  const status = () => runProgram(process.execPath, [program, 'status', '--admin', admin, '-o', 'json'])
  const condition = async () => {
    const { routes } = JSON.parse((await status()).stdout) as {
      routes: { status: { conditions: { type: string; status: string; message: string }[] } }[]
    }
    return routes[0]?.status.conditions.find(({ type }) => type === 'PromisesKept')
  }

  assert.equal(await ask(), 'classifier')
  await eventually(async () => assert.equal((await condition())?.status, 'True'), { within: 15_000 })
  mark = 2
  await eventually(async () => assert.equal(await ask(), 'alarmed'), { within: 20_000 })

  await eventually(async () => assert.equal((await condition())?.status, 'False'), { within: 15_000 })
  assert.match(
    (await condition())?.message ?? '',
    /^Rule 0: on the one sidecar that audits, cheap answers lost more than was promised \(evidence \d+(\.\d)? of 20, after \d+ audits\); all requests go to the strong model/,
  )
  const { code, stdout } = await runProgram(process.execPath, [program, 'status', '--admin', admin])
  assert.equal(code, 1)
  assert.match(stdout, /ai\/chat: PromisesKept PromiseBroken/)
  const { artefacts } = JSON.parse(await read('/artefacts')) as { artefacts: unknown[] }
  assert.partialDeepStrictEqual(artefacts, [
    { name: 'ai/router', state: 'alarmed', models: ['weak', 'strong'], expires: '2999-01-01', rules: ['ai/chat 0'] },
  ])
  const metrics = await read('/metrics')
  for (const line of [
    /tradewind_artefact_info\{artefact="ai\/router",digest="[0-9a-f]{64}",state="alarmed"\} 1/,
    /tradewind_promise_threshold\{artefact="ai\/router",segment="\*"\} \+?Inf/,
    /tradewind_promise_evidence\{artefact="ai\/router",segment="\*"\} /,
    /tradewind_population_stability_index\{artefact="ai\/router",of="prompts",segment=""\} /,
    /tradewind_audit_alarms_total\{route="ai\/chat",rule="0",endpoint="ai\/weak",model="weak"\} 1/,
    /tradewind_audits_total\{route="ai\/chat",rule="0",endpoint="ai\/weak",model="weak",kind="kept",outcome="compared"\} \d+/,
    /tradewind_attempts_total\{[^}]*endpoint="ai\/strong"[^}]*why="audit"[^}]*\} \d+/,
  ])
    assert.match(metrics, line)
  await eventually(() => {
    const lines = readFileSync(decisions, 'utf8').trim().split('\n')
    const audits = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'audit')
    assert.partialDeepStrictEqual(audits.at(-1), { route: 'ai/chat', by: 'Judge', quality: { own: 0.2, other: 0.9 } })
    assert.ok(audits.some(({ alarm }) => alarm === true))
    assert.ok(lines.every((line) => !line.includes('words.')))
  })
})
