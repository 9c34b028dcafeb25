import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Forecast } from '../../core/rollout/forecast.ts'
import { runProgram } from '../helpers/command.ts'
import { scratch } from '../helpers/scratch.ts'
import { root } from './running.ts'

const route = (rollout: string) => `
apiVersion: tradewind.dev/v1alpha1
kind: ModelRoute
metadata: {name: chat, namespace: ai}
spec:
  models: [chat]
  rules:
    - name: all
      targets:
        - {endpoint: {name: models, model: now}, weight: 99}
        - {endpoint: {name: models, model: next}, weight: 1}
      rollout: ${rollout}
`
const plain = '{canary: {name: models, model: next}, guardrails: [{metric: ErrorRate, margin: "0.01"}]}'

const plan = (args: readonly string[], input?: string) =>
  runProgram(process.execPath, ['cli/main.ts', 'rollout', 'plan', ...args], {
    cwd: root,
    ...(input === undefined ? {} : { input }),
  })

async function planned(args: readonly string[], manifests: string) {
  const { code, stdout, stderr } = await plan(['-f', '-', '-o', 'json', ...args], manifests)
  assert.equal(code, 0, stderr)
  const { plans } = JSON.parse(stdout) as { plans: (Forecast & { route: string; rate?: number })[] } // what it prints
  const [one] = plans
  assert.ok(one)
  return one
}

test('rollout plan: every step and guardrail of a manifest, with the time at a rate', async () => {
  const { steps, promotion, lasts, rate } = await planned(['--rate', '20'], route(plain))
  assert.equal(rate, 20)
  assert.deepEqual(
    steps.map(({ weight }) => weight),
    [1, 5, 10, 25, 50],
  )
  for (const { weight, found } of steps) {
    const [errors] = found
    const { canary = 0, stable = 0, seconds = 0 } = errors ?? {}
    assert.ok(canary > 100 && canary < 1000)
    assert.ok(Math.abs(canary / (canary + stable) - weight / 100) < 1e-3)
    assert.ok(Math.abs(seconds - (canary + stable) / 20) < 1)
  }
  assert.equal(promotion.length, 1)
  assert.ok((lasts ?? 0) > 2250, 'its first step takes 450 requests at a fifth of one a second')
})

test('rollout plan: what is assumed makes the difference it should', async () => {
  const first = async (...args: readonly string[]) =>
    (await planned(args, route(plain))).steps[0]?.found[0]?.canary ?? Number.NaN
  const usual = await first()
  assert.ok((await first('--worse', 'ErrorRate=0.2')) < usual)
  assert.ok((await first('--usual', 'ErrorRate=0.2')) > usual)
  assert.ok((await first('--power', '0.95')) > usual)
})

test('rollout plan: a table for people, of a directory and of one route of it', async () => {
  const folder = scratch('plan')
  writeFileSync(join(folder, 'chat.yaml'), route(plain))
  const { stdout, code } = await plan(['chat', '-f', folder, '--rate', '5'])
  assert.equal(code, 0)
  assert.match(stdout, /^ai\/chat, rule all: canary models\/next, at 5 requests a second \(given\)$/m)
  assert.match(stdout, /^1 +1 % +2h30m +ErrorRate +5 points +\d+\/\d+ +\d+m$/m)
  assert.match(stdout, /^ErrorRate +1 point +\d+\/\d+ +\d+m$/m)
  assert.match(stdout, /^Taken for usual: ErrorRate 0\.01 /m)
})

test('rollout plan: what is wrong is said', async () => {
  const says = async (args: readonly string[], manifests: string, words: RegExp) => {
    const { code, stderr } = await plan(args, manifests)
    assert.match(stderr, words)
    assert.notEqual(code, 0)
  }
  await says(['-f', '-'], route('{canary: {name: other}}'), /<stdin>: spec\.rules\[0\].*canary must be one of/)
  await says(['-f', '-'], 'a: [', /<stdin>:\d+: /)
  await says(['-f', '-'], 'kind: Namespace', /There is no rollout: no rule of a route says `rollout`\./)
  await says(
    ['other', '-f', '-'],
    route(plain),
    /There is no rollout of route other\. There are: ai\/chat \(rule all\)\./,
  )
  await says(['--admin', 'http://127.0.0.1:1'], '', /say by --file where they are/)
  await says(['-f', '-', '--worse', 'Speed=1'], '', /It must be like ErrorRate=0\.05/)
})
