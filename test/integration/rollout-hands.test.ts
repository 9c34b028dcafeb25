import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Agent, request } from 'undici'
import { events } from '../../cli/rollout/events.ts'
import type { RolloutView } from '../../operator/rollouts.ts'
import { makePackage } from '../../tool/npm-package.ts'
import { type Rendered, render } from '../chart/chart.ts'
import { runProgram } from '../helpers/command.ts'
import { type Access, useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs, serverPath } from '../helpers/needs.ts'
import {
  apply,
  connectSidecar,
  endpoint,
  prepare,
  route,
  runningPod,
  startOperator,
  trustedRoots,
} from '../helpers/operators.ts'
import type { OperatorProcess, SidecarClient } from '../helpers/operators.ts'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'cli/main.ts')

describe('hands on the wheel, in a cluster', { skip: needs('kube-apiserver', 'etcd', 'kubectl', 'helm') }, () => {
  const server = useApiServer()
  const operators: OperatorProcess[] = []
  const users = new Map<string, Access & { readonly token: string }>()
  const notified: { readonly type: string; readonly data: RolloutView; readonly text: string }[] = []
  let sidecar: SidecarClient
  let receiver: Server
  let leader: OperatorProcess
  let follower: OperatorProcess
  let roots = ''

  /** A user of namespace `ai` with these of the chart's roles. */
  const user = async (name: string, rights: readonly Rendered[], ...roles: readonly string[]) => {
    await server().kubectl(['create', 'serviceaccount', name, '-n', 'ai'])
    for (const role of roles) {
      const found = rights.find(({ metadata }) => metadata.name.startsWith(`tradewind-${role}-`))
      assert.ok(found, role)
      const binding = ['rolebinding', `${name}-${role}`, '-n', 'ai', `--clusterrole=${found.metadata.name}`]
      await server().kubectl(['create', ...binding, `--serviceaccount=ai:${name}`])
    }
    const token = await server().token('ai', name)
    users.set(name, { ...server().as(token), token })
  }
  const as = (name: string) => {
    const found = users.get(name)
    assert.ok(found, name)
    return found
  }
  const chat = (annotations: Readonly<Record<string, string>> = {}, canary = 'new'): object => {
    const rollout = {
      canary: { name: canary },
      steps: [
        { weight: 10, manual: false },
        { weight: 100, manual: false },
      ],
    }
    const rules = [{ name: 'all', rollout, targets: ['old', 'new', 'newer'].map((name) => ({ endpoint: { name } })) }]
    const made = route('ai', 'chat', { rules }) as { metadata: object } // an object has metadata
    return { ...made, metadata: { ...made.metadata, annotations } }
  }

  before(async () => {
    receiver = createServer((request, response) => {
      void request.toArray().then((parts: Buffer[]) => {
        notified.push(JSON.parse(Buffer.concat(parts).toString()) as (typeof notified)[number]) // a CloudEvent
        response.end()
      })
    }).listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo // it listens on a port
    const rights = (await render()).filter(({ kind }) => kind === 'ClusterRole')
    await prepare(server())
    await apply(server(), ...rights.filter(({ metadata }) => /-(view|edit|rollouts)-/.test(metadata.name)))
    const configuration = (await render()).find(({ kind }) => kind === 'ValidatingWebhookConfiguration')
    assert.ok(configuration)
    const flags = ['--notifications', JSON.stringify([{ url: `http://127.0.0.1:${port}` }])]
    operators.push(await startOperator(server(), { flags: [...flags, '--webhooks', configuration.metadata.name] }))
    operators.push(await startOperator(server(), { flags }))
    ;[leader, follower] = operators as [OperatorProcess, OperatorProcess] // these two
    await eventually(async () => assert.equal(await leader.metric('tradewind_operator_leader'), 1), { within: 15_000 })
    // The chart's own entries; only the way there is another, since no Service leads out of this API server.
    const webhooks = (configuration['webhooks'] as { clientConfig: { service: { path: string } } }[]).map((it) => ({
      // a webhook configuration
      ...it,
      clientConfig: { url: `https://127.0.0.1:${leader.ports.webhooks}${it.clientConfig.service.path}` },
    }))
    await server().namespace('ai')
    await apply(server(), { ...configuration, webhooks })
    await eventually(async () => {
      const bundles = ['-o', 'jsonpath={.items[*].webhooks[*].clientConfig.caBundle}']
      const found = await server().kubectl(['get', 'validatingwebhookconfiguration', ...bundles])
      assert.equal(found.split(' ').filter(Boolean).length, 2)
    })
    await apply(server(), endpoint('ai', 'old'), endpoint('ai', 'new'), endpoint('ai', 'newer'), chat())
    await runningPod(server(), 'ai', 'app')
    sidecar = await connectSidecar(server(), follower.ports.push, 'ai', 'app')
    roots = await trustedRoots(server(), 'ai')
    await user('viewer', rights, 'view')
    await user('editor', rights, 'view', 'edit')
    await user('promoter', rights, 'rollouts')
    await user('owner', rights, 'view', 'edit', 'rollouts')
    await user('stranger', rights)
  })
  after(async () => {
    sidecar?.stop()
    await Promise.all(operators.map((it) => it.stop()))
    receiver?.closeAllConnections()
    receiver?.close()
  })

  const ask = async (
    operator: OperatorProcess,
    path: string,
    { token, sent, type = 'application/json' }: { token?: string | undefined; sent?: unknown; type?: string } = {},
  ) => {
    const dispatcher = new Agent({ connect: { ca: roots } })
    const { statusCode, body } = await request(`https://localhost:${operator.ports.push}${path}`, {
      dispatcher,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(sent ? { 'content-type': type } : {}) },
      ...(sent ? { method: 'POST', body: JSON.stringify(sent) } : {}),
    })
    const text = await body.text()
    await dispatcher.close()
    const { error, rollouts = [] } = JSON.parse(text) as { error?: { message: string }; rollouts?: RolloutView[] } // what that API answers
    return { status: statusCode, message: error?.message, rollouts, text }
  }
  const now = async () => (await ask(leader, '/v1/rollouts?namespace=ai', { token: as('viewer').token })).rollouts[0]
  const phase = (wanted: RolloutView['phase']) =>
    eventually(
      async () => {
        const view = await now()
        assert.equal(view?.phase, wanted, JSON.stringify(view))
        return view
      },
      { within: 15_000, every: 100 },
    )
  const tradewind = (name: string, ...args: readonly string[]) =>
    runProgram(
      process.execPath,
      [main, 'rollout', ...args, '--kubeconfig', as(name).kubeconfig, '--operator', `localhost:${follower.ports.push}`],
      { cwd: root },
    )

  test('rollouts are told to those who may list them, by the leader and by a follower alike', async () => {
    await phase('Progressing')
    for (const operator of operators) {
      const { status, rollouts } = await ask(operator, '/v1/rollouts?namespace=ai', { token: as('viewer').token })
      assert.equal(status, 200)
      assert.deepEqual(
        rollouts.map(({ route, rule, weight, steps }) => [route, rule, weight, steps]),
        [['ai/chat', 'all', 10, 2]],
      )
      const stranger = await ask(operator, '/v1/rollouts?namespace=ai', { token: as('stranger').token })
      assert.equal(stranger.status, 403)
      assert.equal(stranger.message, 'You may not list rollouts.tradewind.dev in namespace ai.')
      const everywhere = await ask(operator, '/v1/rollouts', { token: as('viewer').token })
      assert.equal(everywhere.message, 'You may not list rollouts.tradewind.dev in all namespaces.')
      assert.equal((await ask(operator, '/v1/rollouts?namespace=ai')).status, 401)
      assert.equal((await ask(operator, '/v1/rollouts?namespace=ai', { token: 'nobody' })).status, 401)
    }
    assert.doesNotMatch((await ask(leader, '/v1/rollouts?namespace=ai', { token: as('viewer').token })).text, /memory/)
  })

  test('each verb is a right of its own, apart from editing routes', async () => {
    const path = '/v1/rollouts/ai/chat/all'
    for (const name of ['viewer', 'editor', 'stranger']) {
      const { status, message } = await ask(follower, path, { token: as(name).token, sent: { action: 'promote' } })
      assert.equal(status, 403)
      assert.equal(message, 'You may not promote rollouts.tradewind.dev chat in namespace ai.')
    }
    const { token } = as('promoter')
    assert.equal((await ask(leader, path, { token, sent: { action: 'pause' }, type: 'text/plain' })).status, 415)
    assert.equal((await ask(leader, path, { token, sent: { action: 'explode' } })).status, 400)
    assert.equal((await ask(leader, path, { sent: { action: 'pause' } })).status, 401)
    assert.match((await ask(follower, path, { token })).text, /^\{"rollout":\{"route":"ai\/chat"/)
    const stranger = await ask(follower, path, { token: as('stranger').token })
    assert.equal(stranger.message, 'You may not get rollouts.tradewind.dev chat in namespace ai.')
    assert.equal((await ask(leader, '/v1/rollouts/ai/chat/none', { token, sent: { action: 'pause' } })).status, 404)
    const retried = await ask(follower, path, { token, sent: { action: 'retry' } })
    assert.equal(retried.status, 409)
    assert.match(retried.message ?? '', /Progressing .*pause, promote, abort/)
    assert.equal((await ask(follower, path, { token, sent: { action: 'pause' } })).status, 200)
    const view = await phase('Paused')
    assert.equal(view?.by, 'system:serviceaccount:ai:promoter')
    assert.equal((await ask(leader, path, { token, sent: { action: 'resume' } })).status, 200)
    await phase('Progressing')
  })

  test('a watch at a follower is passed on from the leader, for those who may', async () => {
    const dispatcher = new Agent({ connect: { ca: roots } })
    const watch = (query: string, name: string) =>
      request(`https://localhost:${follower.ports.push}/v1/watch${query}`, {
        dispatcher,
        headers: { authorization: `Bearer ${as(name).token}` },
      })
    const refused = await watch('?namespace=ai', 'promoter')
    assert.equal(refused.statusCode, 403)
    assert.match(await refused.body.text(), /You may not list sidecars\.tradewind\.dev in namespace ai\./)
    const { statusCode, headers, body } = await watch('?namespace=ai&parts=rollouts', 'promoter')
    assert.equal(statusCode, 200)
    assert.equal(headers['content-type'], 'text/event-stream')
    const told: string[] = []
    const ended = (async () => {
      for await (const { name, data } of events(body)) told.push(`${name} ${data}`)
    })().catch(() => {})
    await eventually(() => assert.match(told[0] ?? '', /^state \{"rollouts":\[\{"route":"ai\/chat"/))
    assert.equal(await leader.metric('tradewind_operator_watchers'), 1)
    const { token } = as('promoter')
    await ask(leader, '/v1/rollouts/ai/chat/all', { token, sent: { action: 'pause' } })
    await eventually(() => assert.match(told.at(-1) ?? '', /^change .*"phase":"Paused"/))
    await ask(leader, '/v1/rollouts/ai/chat/all', { token, sent: { action: 'resume' } })
    await dispatcher.destroy()
    await ended
    await eventually(async () => assert.equal(await leader.metric('tradewind_operator_watchers'), 0))
  })

  test('tradewind rollout, of a cluster', async () => {
    await phase('Progressing')
    const status = await tradewind('viewer', 'status', 'ai/chat')
    assert.equal(status.stderr, '')
    assert.match(status.stdout, /^ai\/chat, rule all\n +phase +Progressing for /)
    const refused = await tradewind('editor', 'promote', 'ai/chat')
    assert.equal(refused.code, 1)
    assert.equal(refused.stderr, 'error: You may not promote rollouts.tradewind.dev chat in namespace ai.\n')
    assert.match((await tradewind('stranger', 'status', '-n', 'ai')).stderr, /error: .* is forbidden/)
    // Who may not be asked for everywhere is told of namespaces.
    assert.match((await tradewind('viewer', 'status')).stderr, /error: .* is forbidden: .*\. Name a namespace by -n\./)
    const paused = await tradewind('promoter', 'pause', 'ai/chat')
    assert.match(paused.stdout, /^ai\/chat all Paused 1\/2, 10 %/)
    assert.equal((await tradewind('promoter', 'resume', 'chat', '-n', 'ai')).code, 0)
    await phase('Progressing')
    // Without an operator to ask, the routes themselves tell.
    const { stdout, stderr } = await runProgram(
      process.execPath,
      [main, 'rollout', 'status', 'ai/chat', '--kubeconfig', server().kubeconfig],
      { cwd: root },
    )
    const unreached = await runProgram(
      process.execPath,
      [main, 'rollout', 'abort', 'ai/chat', '--kubeconfig', server().kubeconfig],
      { cwd: root },
    )
    assert.equal(unreached.code, 1)
    assert.match(
      unreached.stderr,
      /^error: The operator cannot be asked: No pod .*; an annotation does it too: kubectl annotate --overwrite modelroute chat -n ai tradewind\.dev\/rollout=abort@\S+\n$/,
    )
    assert.match(stderr, /note: the operator was not asked, but the routes themselves: No pod of the operator is ready/)
    assert.match(stdout, /^ai\/chat, rule all\n +phase +Progressing for /)
  })

  test('kubectl tradewind, by the real kubectl', async () => {
    const bin = join(server().directory, 'bin')
    // As npm installs it.
    await makePackage(join(server().directory, 'package'))
    const program = join(server().directory, 'package/tradewind.mjs')
    chmodSync(program, 0o755)
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    symlinkSync(program, join(bin, 'kubectl-tradewind'))
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, KUBECONFIG: as('viewer').kubeconfig }
    const kubectl = (...args: readonly string[]) =>
      runProgram(serverPath('kubectl'), ['tradewind', 'rollout', ...args], { env, cwd: dirname(bin) })
    const operator = ['--operator', `localhost:${follower.ports.push}`]
    const status = await kubectl('status', 'chat', '-n', 'ai', ...operator)
    assert.match(status.stdout, /^ai\/chat, rule all\n/, status.stderr)
    assert.match((await kubectl('--help')).stdout, /^Usage: kubectl tradewind rollout /)
    assert.equal((await kubectl('abort', 'chat', '-n', 'ai', ...operator)).code, 1)
  })

  test('the annotation: refused to those who may edit and not promote, and where it says nothing that there is', async () => {
    const annotate = async (name: string, value: string) => {
      const args = ['annotate', '--overwrite', 'mroute', 'chat', '-n', 'ai', `tradewind.dev/rollout=${value}`]
      return runProgram(serverPath('kubectl'), args, { env: { KUBECONFIG: as(name).kubeconfig } })
    }
    const refused = await annotate('editor', 'abort')
    assert.match(
      refused.stderr,
      /system:serviceaccount:ai:editor may not abort rollouts\.tradewind\.dev chat in namespace ai, which tradewind\.dev\/rollout asks for/,
    )
    assert.match(
      (await annotate('owner', 'explode')).stderr,
      /it begins with one of pause, resume, promote, abort, retry/,
    )
    assert.match(
      (await annotate('owner', 'abort:some')).stderr,
      /rule some has no rollout; those that have one are all/,
    )
    await phase('Progressing')
    // One who may not promote edits all else.
    const { stderr, code } = await runProgram(
      serverPath('kubectl'),
      ['annotate', 'mroute', 'chat', '-n', 'ai', 'note=1'],
      {
        env: { KUBECONFIG: as('editor').kubeconfig },
      },
    )
    assert.equal(code, 0, stderr)
    assert.equal((await annotate('owner', 'abort:all@ticket-7')).code, 0)
    const view = await phase('RolledBack')
    assert.equal(view?.by, 'annotation (ticket-7)')
    // The same value again asks for nothing, from whomever.
    assert.equal((await tradewind('promoter', 'retry', 'ai/chat')).code, 0)
    assert.equal((await annotate('editor', 'abort:all@ticket-7')).code, 0)
    await phase('Progressing')
    assert.equal((await annotate('owner', 'promote@now')).code, 0)
    assert.equal((await phase('Promoted'))?.by, 'annotation (now)')
    assert.equal((await tradewind('viewer', 'status', 'ai/chat', '--wait')).code, 0)
  })

  test('what an annotation said of one rollout does not move another that an editor puts in its place', async () => {
    const at = async (name: string, object: object) =>
      runProgram(serverPath('kubectl'), ['replace', '-f', '-'], {
        env: { KUBECONFIG: as(name).kubeconfig },
        input: JSON.stringify(object),
      })
    const asked = { 'tradewind.dev/rollout': 'promote@now' }
    const renamed = (canary: string) => {
      const made = chat(asked, canary) as { spec: { rules: object[] } } // a route
      return { ...made, spec: { ...made.spec, rules: made.spec.rules.map((rule) => ({ ...rule, name: 'other' })) } }
    }
    assert.match((await at('editor', renamed('newer'))).stderr, /editor may not promote rollouts\.tradewind\.dev chat/)
    // Another canary of the same rule begins at the first step, whatever the annotation said of the one before.
    const { code, stderr } = await at('editor', chat(asked, 'newer'))
    assert.equal(code, 0, stderr)
    const view = await phase('Progressing')
    assert.deepEqual([view?.canary, view?.weight, view?.step], ['newer/m', 10, 0])
  })

  test('each change of phase was told, once, by the replica that led', async () => {
    await eventually(() => assert.match(notified.at(-1)?.type ?? '', /progressing$/))
    const phases = notified.map(({ type }) => type.replace('dev.tradewind.rollout.', ''))
    for (const wanted of ['progressing', 'paused', 'rolledback', 'promoted'])
      assert.ok(phases.includes(wanted), phases.join(' '))
    assert.ok(phases.indexOf('rolledback') < phases.lastIndexOf('promoted'))
    const ids = notified.map((it) => JSON.stringify([it.data.phase, it.data.since]))
    assert.equal(new Set(ids).size, ids.length, 'none twice')
    assert.equal(notified.at(-1)?.data.route, 'ai/chat')
    assert.equal(await leader.metric('tradewind_operator_notifications_total{outcome="delivered"}'), notified.length)
    assert.equal(
      leader.log().some(({ msg }) => msg === 'somebody was not told of a rollout'),
      false,
    )
  })

  test('a leader is killed: who watches through another replica goes on, and what comes then is done and told', async () => {
    await phase('Progressing')
    const watched = tradewind('promoter', 'watch', 'ai/chat')
    await eventually(async () => assert.equal(await leader.metric('tradewind_operator_watchers'), 1), {
      within: 30_000,
      every: 100,
    })
    await leader.child.stop(0)
    await eventually(async () => assert.equal(await follower.metric('tradewind_operator_leader'), 1), {
      within: 20_000,
      every: 100,
    })
    const aborted = await eventually(
      async () => {
        const sent = { action: 'abort' }
        const answer = await ask(follower, '/v1/rollouts/ai/chat/all', { token: as('promoter').token, sent })
        assert.equal(answer.status, 200, answer.text)
        return answer
      },
      { within: 20_000, every: 200 },
    )
    assert.match(aborted.text, /"by":"system:serviceaccount:ai:promoter"/)
    const { code, stdout, stderr } = await watched
    assert.equal(code, 1, stderr)
    assert.match(stdout.trim().split('\n').at(-1) ?? '', /ai\/chat all RolledBack /)
    assert.match(stderr, /^note: /)
    await eventually(() => assert.equal(notified.at(-1)?.data.phase, 'RolledBack'))
  })
})
