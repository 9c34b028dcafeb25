import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { runProgram } from '../helpers/command.ts'
import { scratch } from '../helpers/scratch.ts'
import { program, root, run, withPorts } from './running.ts'
import type { Running } from './running.ts'

/** What the commands of each example's README print, in their order; the one that starts it is not among them. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  quickstart: [],
  'weighted-split': [/"content":"\w+ heard: Hello/, /"content":"canary heard: Hello/, /100 % +default\/canary/],
  fallback: [
    /x-tradewind-endpoint: default\/primary[^]*primary heard/,
    /status=500/,
    /x-tradewind-attempts: 2[^]*x-tradewind-endpoint: default\/secondary[^]*secondary heard/,
  ],
  faults: [
    /x-tradewind-endpoint: default\/primary[^]*primary heard/,
    /HTTP\/1.1 200 [^]*x-tradewind-endpoint: default\/secondary[^]*x-tradewind-reason: .*fault_injected[^]*secondary heard/,
    /x-tradewind-endpoint: default\/secondary[^]*x-tradewind-reason: .*fault_injected[^]*secondary[^]*data: \[DONE\]/,
    /Injected on purpose: Abort with 503 of 100 % of the calls of default\/primary of requests with x-drill until /,
    /default\/assistant: FaultsInjected FaultsInjected: Failures are injected on purpose\./,
    /tradewind_faults_injected_total\{[^}]*endpoint="default\/primary"[^}]*type="Cut"\} 2\n[^]*tradewind_faults_active\{[^}]*type="Abort"\} 1\n/,
  ],
  mirror: [
    /x-tradewind-attempts: 1\r[^]*x-tradewind-endpoint: default\/current\r[^]*current heard/,
    /stall-headers=60000/,
    /x-tradewind-attempts: 1\r[^]*x-tradewind-endpoint: default\/current\r[^]*current heard/,
    /ROUTE +RULE +MIRROR [^]*default\/assistant +0 +candidate\/llama-3.1-8b +\d/,
    /tradewind_mirrored_total\{[^}]*endpoint="default\/candidate"[^}]*outcome="answered"\} 1\n/,
  ],
  rollout: [
    /^$/,
    /status=500/,
    /^$/,
    /default\/assistant[^]*Promoted/,
    /"route": "default\/assistant",[^]*"phase": "Promoted"[^]*"route": "default\/support",[^]*"phase": "RolledBack",\s+"reason": "GuardrailBroken"/,
  ],
  experiment: [
    /x-tradewind-endpoint: default\/small\r[^]*x-tradewind-experiment: small-for-users\/small\r/,
    /x-tradewind-experiment: small-for-users\/small\r/,
    /x-tradewind-endpoint: default\/large\r[^]*x-tradewind-reason: only_target\r/,
    /Experiment small-for-users assigns units of 0 to 50 % of layer default\/models by header x-user \(large 50 %, small 50 %\): this one is of small/,
    /^$/,
    /Decided: Ship, small[^]*Cost\* +small[^]*Better/,
    /x-tradewind-endpoint: default\/small\r[^]*x-tradewind-reason: only_target\r/,
  ],
  sticky: [/"content":"(one|two) heard/, /"content":"(one|two) heard/],
  'pass-through': [/"\/v2\/models\/fraud\/infer"/],
  'in-cluster-service': [/"content":"vllm heard/],
  cascade: [
    /x-tradewind-endpoint: default\/small[^]*small heard/,
    /says=/,
    /x-tradewind-endpoint: default\/large[^]*x-tradewind-reason: .*escalation[^]*large heard/,
    /x-tradewind-endpoint: default\/large[^]*data: [^]*large[^]*data: \[DONE\]/,
    /status=500/,
    /x-tradewind-endpoint: default\/small[^]*x-tradewind-reason: .*gate_stronger_failed[^]*I cannot help with that/,
  ],
  'any-provider': [
    /x-tradewind-endpoint: default\/anthropic[^]*"object":"chat.completion"[^]*anthropic heard/,
    /"type":"message"[^]*anthropic heard/,
    /event: message_start[^]*event: content_block_delta[^]*event: message_stop/,
    /status=529/,
    /x-tradewind-endpoint: default\/openai[^]*"type":"message"[^]*openai heard/,
  ],
  'least-latency': [
    /x-tradewind-endpoint: default\/cheap\r[^]*x-tradewind-reason: fastest\r/,
    /stall-headers=400/,
    /x-tradewind-endpoint: default\/cheap\r/,
    /x-tradewind-endpoint: default\/quick\r/,
  ],
  'least-cost': [
    /x-tradewind-model: gpt-4o\r[^]*x-tradewind-reason: least_cost\r/,
    /x-tradewind-model: gpt-4o-mini\r/,
    /x-tradewind-model: gpt-4o-mini\r/,
    /x-tradewind-model: claude-sonnet-4-5\r/,
    /status=529/,
    /x-tradewind-model: claude-sonnet-4-5\r[^]*x-tradewind-reason: least_cost, retry, fallback\r/,
  ],
  'certified-router': [
    /x-tradewind-model: gpt-4o-mini\r[^]*x-tradewind-reason: classifier\r/,
    /x-tradewind-model: gpt-4o\r[^]*x-tradewind-reason: unsure\r/,
    /x-tradewind-model: gpt-4o\r[^]*x-tradewind-reason: novel\r/,
    /the route: default\/models gpt-4o-mini [^]*because classifier/,
  ],
  bandit: [
    /x-tradewind-endpoint: default\/small\r[^]*x-tradewind-reason: best_known\r/,
    /"learnt":true/,
    /(small|strong) heard: Hello/,
    /says=I cannot help/,
    /strong heard: Hello/,
    /x-tradewind-endpoint: default\/strong\r[^]*x-tradewind-reason: best_known\r/,
    /"target": "default\/small gpt-4o-mini",\s+"rewards": \d\d/,
  ],
  feedback: [
    /x-tradewind-model: gpt-4o-mini\r[^]*x-tradewind-reason: least_cost\r/,
    /"reward":0,"upgraded":true/,
    /x-tradewind-model: gpt-4o\r[^]*x-tradewind-reason: feedback\r/,
    /x-tradewind-model: gpt-4o-mini\r[^]*x-tradewind-reason: least_cost\r/,
    /Reason feedback[^]*asked first[^]*after the others: it has rank 1, and answers to requests like it were rated badly[^]*the choice is the same/,
    /the route +72\.5 %[^]*random mixing, as good as the route/,
  ],
  credentials: [/"content":"openai heard/],
  'rules-by-content': [
    /x-tradewind-rule: simple[^]*x-tradewind-endpoint: default\/small/,
    /x-tradewind-rule: everything-else[^]*x-tradewind-endpoint: default\/medium/,
    /x-tradewind-rule: medical-or-legal[^]*x-tradewind-endpoint: default\/strong/,
    /x-tradewind-rule: asked-for[^]*x-tradewind-endpoint: default\/strong/,
    /x-tradewind-rule: asked-for[^]*x-tradewind-endpoint: default\/strong/,
    /Rule medical-or-legal is the first that matches/,
    /Rule simple does not match: it is what the match excludes/,
  ],
  tiers: [
    /x-tradewind-endpoint: default\/small/,
    /x-tradewind-endpoint: default\/medium/,
    /x-tradewind-endpoint: default\/strong/,
    /x-tradewind-endpoint: default\/strong[^]*x-tradewind-reason: pinned/,
    /x-tradewind-endpoint: default\/small/,
  ],
  schedule: [
    /Rule night is the first that matches[^]*100 % +default\/small/,
    /Fri 13:00 in Europe\/Berlin is not within 22:00–06:00[^]*100 % +default\/strong/,
    /Rule night is the first that matches[^]*100 % +default\/strong/,
    /Rule night does not match[^]*100 % +default\/small/,
    /x-tradewind-rule: (night|day)/,
  ],
  'multi-modal': [
    /x-tradewind-endpoint: default\/writer/,
    /x-tradewind-endpoint: default\/vision/,
    /x-tradewind-endpoint: default\/coder/,
    /x-tradewind-endpoint: default\/embedder/,
  ],
}
const examples = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((it) => it.isDirectory())

for (const { name } of examples)
  test(`examples: ${name} does what its README says`, async (t) => {
    const lines = commands(readFileSync(join(root, 'examples', name, 'README.md'), 'utf8'))
    const env: NodeJS.ProcessEnv = {}
    for (const line of lines) {
      const [, variable, value] = /^export (\w+)=(.*)$/.exec(line) ?? []
      if (variable !== undefined) env[variable] = value
    }
    const start = lines.find((line) => /^(tradewind|make) run/.test(line))
    const words: readonly string[] = (start ?? '')
      .replace('make run', 'tradewind run examples/quickstart --mock')
      .split(' ')
    const [, , directory = '', ...args] = words
    assert.ok(start !== undefined)
    // What is to be made first is made in a folder of its own.
    const before = lines.slice(0, lines.indexOf(start)).filter((line) => /^(cp|sed|tradewind)/.test(line))
    const cwd = before.length > 0 ? elsewhere(t) : root
    for (const line of before) await execute(line, { url: '', admin: '' }, cwd)
    const running = await run(t, directory, args, env, cwd)
    const outputs: string[] = []
    for (const line of lines)
      if (/^(curl|tradewind (?!run))/.test(line) && !before.includes(line))
        outputs.push(await execute(line, running, cwd))
    assert.equal(outputs.length, expected[name]?.length, outputs.join('\n'))
    const patterns = expected[name] ?? []
    for (const [i, pattern] of patterns.entries()) assert.match(outputs[i] ?? '', pattern)
    if (name === 'sticky')
      assert.equal(endpointOf(outputs[0]), endpointOf(outputs[1]), 'one conversation has one target')

    // What it prints is the same main job, whatever else the README shows.
    const printed = /^ +(curl .*)$/m.exec(running.printed())?.[1]
    assert.match(await execute(`${printed} -i`, running), /^HTTP\/1.1 200 /)
    assert.doesNotMatch(running.printed(), /^(problem|warning|fault) /m)
  })

/** A folder that has the examples, as a checkout has. */
function elsewhere(t: TestContext): string {
  const folder = scratch('example')
  t.after(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(root, 'examples'), join(folder, 'examples'))
  return folder
}

/** The lines of the README's shell blocks. */
function commands(markdown: string): string[] {
  return [...markdown.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'))
}

/** Runs a line as it stands, but for the ports, which are free ones here, and for `tradewind`, which need not be installed. */
async function execute(line: string, { url, admin }: Pick<Running, 'url' | 'admin'>, cwd = root): Promise<string> {
  const [tool = '', ...words] = line.split(' ')
  const command =
    tool === 'cp' || tool === 'sed'
      ? line
      : tool === 'curl'
        ? `curl -sS ${words.join(' ')}`
        : `"${process.execPath}" "${program}" ${words.join(' ')}${/^(simulate|train)$/.test(words[0] ?? '') ? '' : ` --admin ${admin}`}`
  const here = withPorts(command, { url, admin })
  const { code, stdout, stderr } = await runProgram('sh', ['-c', here], { cwd })
  assert.equal(code, 0, stderr)
  return stdout
}

const endpointOf = (answer: string | undefined) => /"content":"(\w+) heard/.exec(answer ?? '')?.[1]
