import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { parse } from '../../api/parse.ts'
import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { RELEASE } from '../../api/release.ts'
import { compile } from '../../operator/compile/index.ts'
import { SECRET_LABEL } from '../../operator/world.ts'
import { digestOf } from '../../sidecar/follower.ts'
import { LastGood } from '../../sidecar/last-good.ts'
import { Router } from '../../test/helpers/router.ts'
import { bundle } from '../../tool/bundle.ts'
import { sidecarEnvironment } from '../../tool/images.ts'
import { cacheRoot } from '../../tool/servers.ts'
import { lastLine } from '../last-line.ts'
import { type Deployment, type Launch, noHeaders, type System } from '../system.ts'
import { aliases, type Api, models } from '../wire.ts'

const apis: readonly Api[] = ['openai', 'anthropic']

/** The bundle that ships, made from the working tree. */
export const program = join(cacheRoot, 'bench/tradewind/sidecar.mjs')

const manifest = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'tradewind.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'bench' },
  spec,
})

const providers = {
  openai: { type: 'OpenAI', base: '/v1' },
  anthropic: { type: 'Anthropic', base: '' },
} as const satisfies Record<Api, object>

/**
 * Of each upstream an endpoint for each API that it speaks, with a credential and every default. Routes over the endpoints of an API: the
 * model that is asked for, the same under another name; and others.
 */
function manifests({ targets, routes }: Deployment): readonly object[] {
  const endpoint = (api: Api, i: number): string => `${api}-${i}`
  const endpoints = apis.flatMap((api) =>
    targets.map(({ port }, i) =>
      manifest('ModelEndpoint', endpoint(api, i), {
        provider: { type: providers[api].type },
        address: { type: 'URL', url: `http://127.0.0.1:${port}${providers[api].base}` },
        credentials: { type: 'Secret', secret: { name: 'keys', key: 'api-key' } },
        models: [{ name: models[api] }],
      }),
    ),
  )
  const route = (model: string, api: Api): object => {
    const split = targets.map(({ weight }, i) => ({ endpoint: { name: endpoint(api, i) }, weight }))
    const rules = [
      { name: 'trial', matches: [{ headers: [{ name: 'x-trial', value: 'yes' }] }], targets: [split[1]] },
      { name: 'everything', targets: split, retry: { attempts: 2 } },
    ]
    return manifest('ModelRoute', model, { models: [model], rules })
  }
  const asked = apis.flatMap((api) => [route(models[api], api), route(aliases[api], api)])
  const others = Array.from({ length: Math.max(0, routes - asked.length) }, (_, i) => route(`other-${i}`, 'openai'))
  return [...endpoints, ...asked, ...others]
}

/** Routes that choose by what is in a request: by rules and least cost, and by a trained classifier. */
function decisive({ targets }: Deployment): readonly object[] {
  const names = targets.map((_, i) => `quality-${i}`)
  const endpoints = targets.map(({ port }, i) =>
    manifest('ModelEndpoint', `quality-${i}`, {
      provider: { type: 'OpenAI' },
      address: { type: 'URL', url: `http://127.0.0.1:${port}/v1` },
      credentials: { type: 'Secret', secret: { name: 'keys', key: 'api-key' } },
      models: [{ name: models.openai, rank: i, quality: { default: i === 0 ? '0.7' : '0.9', tasks: { math: '0.4' } } }],
    }),
  )
  const split = names.map((name) => ({ endpoint: { name } }))
  const known = [
    {
      name: 'vip',
      matches: [{ tier: ['enterprise'], headers: [{ name: 'x-trial', value: 'yes' }] }],
      targets: [split[1]],
    },
    { name: 'long', matches: [{ tokens: { min: 20_000 } }], targets: [split[1]] },
  ]
  const content = [
    ...known,
    { name: 'medical', matches: [{ text: { pattern: '(?i)diagnos|prescri', in: 'LastUser' } }], targets: [split[1]] },
    { name: 'legal', matches: [{ task: ['legal'] }], targets: [split[1]] },
  ]
  const leastCost = {
    name: 'everything',
    targets: split,
    strategy: { type: 'LeastCost', leastCost: { floor: '0.8' } },
    adjust: [{ when: { tier: ['free'] }, floor: '0.5' }],
  }
  const caller = { tier: { header: 'x-tier', default: 'pro' } }
  const classifier = { artefact: { name: 'router' }, heads: [{ model: models.openai, head: 'small' }], floor: '0.6' }
  return [
    ...endpoints,
    manifest('ModelRoute', 'rules', { models: ['rules'], caller, rules: [...known, { targets: split }] }),
    manifest('ModelRoute', 'content', { models: ['content'], caller, rules: [...content, { targets: split }] }),
    manifest('ModelRoute', 'least-cost', { models: ['least-cost'], caller, rules: [...content, leastCost] }),
    manifest('ModelRoute', 'classifier', {
      models: ['classifier'],
      rules: [{ targets: split, strategy: { type: 'Classifier', classifier } }],
    }),
  ]
}

/** Where the candidates of mirrors listen that are not as fast as what answers. */
interface Candidates {
  readonly slow: number
  readonly hanging: number
}

/** Routes that differ in their mirror alone: none, one that draws nothing, and all requests to each candidate. They cost nothing, so that money is no bound. */
function mirrored({ targets }: Deployment, { slow, hanging }: Candidates): readonly object[] {
  const free = { price: { input: '0', output: '0' } }
  const candidates = Object.entries({ fast: targets[1].port, slow, hanging })
  const endpoint = ([name, port]: readonly [string, number]) =>
    manifest('ModelEndpoint', `candidate-${name}`, {
      provider: { type: 'OpenAI' },
      address: { type: 'URL', url: `http://127.0.0.1:${port}/v1` },
      credentials: { type: 'Secret', secret: { name: 'keys', key: 'api-key' } },
      models: [{ name: models.openai, ...free }],
    })
  const route = (model: string, mirror: object) =>
    manifest('ModelRoute', model, {
      models: [model],
      rules: [{ targets: [{ endpoint: { name: 'openai-0' } }], retry: { attempts: 2 }, ...mirror }],
    })
  const to = (name: string, percent: number) => ({
    mirror: { target: { name: `candidate-${name}` }, percent, budget: { spendPercent: 100 }, maxConcurrent: 64 },
  })
  return [
    ...candidates.map(endpoint),
    route('mirror-none', {}),
    route('mirror-0', to('fast', 0)),
    ...candidates.map(([name]) => route(`mirror-${name}`, to(name, 100))),
  ]
}

/** Two heads over all buckets, as `tradewind train` makes them. */
const router = new Router({ small: { chat: 0.9, math: 0.3 }, strong: { chat: 0.95, math: 0.9 } })

/** What the operator would push to a sidecar in namespace `bench`, as the sidecar keeps it on its volume. */
async function save(directory: string, objects: readonly object[]): Promise<void> {
  const routes = new Map<string, ModelRoute>()
  const endpoints = new Map<string, ModelEndpoint>()
  for (const object of objects) {
    const parsed = parse(object)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    const full = `bench/${parsed.object.metadata.name}`
    if (parsed.object.kind === 'ModelRoute') routes.set(full, parsed.object)
    else endpoints.set(full, parsed.object)
  }
  const labels = { [SECRET_LABEL.name]: SECRET_LABEL.value }
  const keys = { namespace: 'bench', name: 'keys', labels, data: { 'api-key': 'sk-bench' } }
  const none = new Map()
  const { resources } = compile(
    {
      routes,
      endpoints,
      invalid: none,
      secrets: new Map([['bench/keys', keys]]),
      artefacts: new Map([
        ['bench/router', { namespace: 'bench', name: 'router', data: Buffer.from(router.bytes).toString('base64') }],
      ]),
      services: none,
      slices: none,
      pods: none,
      namespaces: none,
    },
    { allowLoopback: true },
  )
  let failure: unknown
  const kept = new LastGood(directory, (error) => (failure = error))
  kept.save({ config: resources, digest: digestOf(resources), since: Date.now() })
  await kept.written()
  if (failure !== undefined) throw failure
}

/** Writes a configuration and says how to start with it. */
async function prepare(deployment: Deployment, objects: readonly object[]): Promise<Launch> {
  const { directory, port, adminPort, metricsPort, targets } = deployment
  const state = join(directory, 'state')
  mkdirSync(state, { recursive: true })
  await save(state, objects)
  const environment = {
    NODE_ENV: 'production',
    ...sidecarEnvironment,
    TRADEWIND_LISTEN: `127.0.0.1:${port}`,
    TRADEWIND_ADMIN: `127.0.0.1:${adminPort}`,
    TRADEWIND_METRICS: `127.0.0.1:${metricsPort}`,
    TRADEWIND_STATE_DIR: state,
    // The upstream takes what it is sent: spans are made, encoded and sent, and end there.
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${targets[1].port}`,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
  }
  const config = `${objects.map((object) => dump(object, { noRefs: true })).join('---\n')}\n# environment\n${dump(environment)}`
  return { command: [process.execPath, program], environment, port, headers: noHeaders, config }
}

/** Ours: the sidecar by itself, serving from its last good configuration. */
export const tradewind: System = {
  name: 'tradewind',
  features:
    'match by model and header, weighted split 90/10, retries with a budget, circuit breaker with passive health, deadlines, credentials, metrics, JSON log line, 1 % sampled tracing, usage; one process',
  carries: () => true,
  async install() {
    await bundle('sidecar/main.ts', program)
    return RELEASE
  },
  prepare: (deployment) => prepare(deployment, manifests(deployment)),
  evidence: (deployment) =>
    shows(
      deployment,
      /^(tradewind_(requests|attempts|tokens|retries|breaker)|gen_ai_client_operation_duration_seconds_count)/,
    ),
}

/** The last log line, and some of the metrics. */
async function shows({ directory, metricsPort }: Deployment, which: RegExp): Promise<string> {
  const line = lastLine(join(directory, 'log'), '"msg":"request"')
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const shown = metrics.split('\n').filter((each) => which.test(each))
  return [line, ...shown.slice(0, 14)].join('\n')
}

/** The same with routes that choose by what is in a request. */
export const deciding: System = {
  ...tradewind,
  prepare: (deployment) => prepare(deployment, [...manifests(deployment), ...decisive(deployment)]),
}

/** The same with routes that have mirrors. */
export const mirroring = (candidates: Candidates): System => ({
  ...tradewind,
  prepare: (deployment) => prepare(deployment, [...manifests(deployment), ...mirrored(deployment, candidates)]),
  evidence: (deployment) => shows(deployment, /^tradewind_mirrored_total/),
})
