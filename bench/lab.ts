import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild } from '../test/helpers/child.ts'
import { freePorts } from '../test/helpers/ports.ts'
import type { Destination } from './load/client.ts'
import type { Deployment, System, Target } from './system.ts'
import { nginxCommand, nginxConfig } from './systems/nginx.ts'
import { answers, callerHeaders, type Passage, paths, request } from './wire.ts'

export const proxyCore = 0
const loadCore = 1

/** A system that is installed here, with its version. */
export interface Installed {
  readonly system: System
  readonly version: string
}

/** A system that runs and answers. */
export interface Running extends Destination {
  readonly name: string
  /** The root of its process tree; undefined for no proxy. */
  readonly pid: number | undefined
  /** From the start of its process to its first answer with status 200, milliseconds. */
  readonly startedIn: number
  readonly deployment: Deployment
  readonly config: string
  /** Where a caller asks; undefined where the system cannot serve it. Without this, callers and the upstream speak OpenAI's API. */
  readonly for: (passage: Passage) => Destination | undefined
  readonly evidence: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** What a benchmark gets to work with. */
export interface Lab {
  readonly systems: readonly Installed[]
  readonly directory: string
  /** Interleaved rounds: every system once in each. */
  readonly rounds: number
  /** A short run, for trying out; its figures are not kept. */
  readonly quick: boolean
  readonly log: (line: string) => void
  /** Keeps what shows that a system's features are on, for the report. */
  readonly evidence: Map<string, string>
}

/** Pins this process, and so every child that is not pinned elsewhere, to the load generator's core. Throws where there is one core only. */
export function pinLoad(): void {
  if (process.platform !== 'linux' || cpus().length < 2)
    throw new Error('the benchmarks need Linux with at least two cores')
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(loadCore), String(process.pid)], {
    stdio: 'ignore',
  })
}

/** Runs `work` with every core for this process and the children that it starts: for work in which many programs take part. */
export async function anyCore<T>(work: () => Promise<T>): Promise<T> {
  const pin = (list: string): unknown =>
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(process.pid)], { stdio: 'ignore' })
  pin(`0-${cpus().length - 1}`)
  try {
    return await work()
  } finally {
    pin(String(loadCore))
  }
}

const weights = [90, 10] as const

/** Two upstreams that answer at once with 1.5 KB, in the API of the path: nginx, since a JavaScript server would be the bottleneck of what is measured. */
export async function leanUpstream(
  lab: Lab,
): Promise<{ readonly targets: readonly [Target, Target]; readonly stop: () => Promise<void> }> {
  const directory = join(lab.directory, 'upstream')
  const targets = await twoTargets()
  const servers = targets.map(
    ({ port }) =>
      `  server { listen 127.0.0.1:${port} backlog=4096; default_type application/json; location / { return 200 '${answers.openai}'; } location = ${paths.anthropic} { return 200 '${answers.anthropic}'; } }`,
  )
  const command = nginxCommand(directory, nginxConfig(directory, servers.join('\n')))
  const child = startChild(command[0] ?? '', command.slice(1), { log: join(directory, 'log') })
  await Promise.all(targets.map(({ port }) => listening(port, child)))
  return { targets, stop: () => child.stop() }
}

/** Two upstreams that stream `events` events, one each `gap` milliseconds, to requests that ask for a stream; 1.5 KB at once to others. */
export async function streamingUpstream(
  lab: Lab,
  events: number,
  gap: number,
): Promise<{ readonly targets: readonly [Target, Target]; readonly stop: () => Promise<void> }> {
  const targets = await twoTargets()
  const script = join(import.meta.dirname, 'load/model-server.ts')
  const args = [script, String(events), String(gap), ...targets.map(({ port }) => String(port))]
  const child = startChild(process.execPath, args, { log: join(lab.directory, 'model-server.log') })
  await Promise.all(targets.map(({ port }) => listening(port, child)))
  return { targets, stop: () => child.stop() }
}

async function twoTargets(): Promise<readonly [Target, Target]> {
  const [first = 0, second = 0] = await freePorts(2)
  return [
    { port: first, weight: weights[0] },
    { port: second, weight: weights[1] },
  ]
}

/** Starts a system on the proxy's core and resolves with its first answer. Rejects with its log where it ends, or answers nothing in 60 s. */
export async function launch(
  lab: Lab,
  { system }: Installed,
  targets: readonly [Target, Target],
  routes = 1,
): Promise<Running> {
  const directory = join(lab.directory, system.name)
  mkdirSync(directory, { recursive: true })
  const [port = 0, adminPort = 0, metricsPort = 0] = await freePorts(3)
  const deployment = { directory, port, adminPort, metricsPort, targets, routes }
  const plan = await system.prepare(deployment)
  const started = performance.now()
  const child = plan.command
    ? startChild('taskset', ['--cpu-list', String(proxyCore), ...plan.command], {
        log: join(directory, 'log'),
        env: { ...process.env, ...plan.environment },
      })
    : undefined
  const to = { port: plan.port, headers: plan.headers.openai }
  await answering(to, child)
  return {
    name: system.name,
    ...to,
    for: (passage) => {
      const carries = system.carries?.(passage) ?? passage.caller === passage.upstream
      const headers = { ...plan.headers[passage.upstream], ...callerHeaders[passage.caller] }
      return carries ? { port: plan.port, headers, path: paths[passage.caller] } : undefined
    },
    pid: child?.pid,
    startedIn: performance.now() - started,
    deployment,
    config: plan.config,
    evidence: () => system.evidence(deployment),
    stop: async () => child?.stop(),
  }
}

/**
 * Starts every system over the same upstream, hands them to `work`, keeps the evidence of each and stops them. They run side by side for the
 * whole time, so that rounds can interleave; one that is not asked rests.
 */
export async function sideBySide<T>(
  lab: Lab,
  upstream: { readonly targets: readonly [Target, Target]; readonly stop: () => Promise<void> },
  work: (running: readonly Running[]) => Promise<T>,
): Promise<T> {
  const running: Running[] = []
  try {
    for (const it of lab.systems) running.push(await launch(lab, it, upstream.targets))
    const result = await work(running)
    for (const it of running) lab.evidence.set(it.name, await it.evidence())
    return result
  } finally {
    await Promise.all(running.map((it) => it.stop()))
    await upstream.stop()
  }
}

async function listening(port: number, child: Child): Promise<void> {
  const opens = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => resolve(false))
      socket.on('connect', () => {
        socket.destroy()
        resolve(true)
      })
    })
  await until(child, opens)
}

async function answering(to: Destination, child: Child | undefined): Promise<void> {
  await until(child, () =>
    ask(to).then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
}

async function until(child: Child | undefined, ready: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await ready())) {
    if (child?.hasEnded() || performance.now() > end) throw new Error(`it does not answer:\n${child?.log() ?? ''}`)
    await sleep(1)
  }
}

/** One chat request on a connection of its own. */
export function ask(
  to: Destination,
  body = request,
): Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { port: to.port, host: '127.0.0.1', path: to.path ?? paths.openai, method: 'POST', agent: false }
    const sent = httpRequest(
      { ...options, headers: { 'content-type': 'application/json', ...to.headers } },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part) => (text += part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        response.on('error', reject)
      },
    )
    sent.on('error', reject).end(body)
  })
}
