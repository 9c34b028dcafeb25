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
import { bundle } from '../../tool/bundle.ts'
import { sidecarEnvironment } from '../../tool/images.ts'
import { cacheRoot } from '../../tool/servers.ts'
import { lastLine } from '../last-line.ts'
import type { Deployment, System } from '../system.ts'

/** The bundle that ships, made from the working tree. */
export const program = join(cacheRoot, 'bench/tradewind/sidecar.mjs')

const manifest = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'tradewind.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'bench' },
  spec,
})

/** Two endpoints with a credential each and every default, and routes over them: the one asked for, one under another name, and others. */
function manifests({ targets, routes }: Deployment): readonly object[] {
  const endpoints = targets.map(({ port }, i) =>
    manifest('ModelEndpoint', `model-${i}`, {
      provider: { type: 'OpenAI' },
      address: { type: 'URL', url: `http://127.0.0.1:${port}/v1` },
      credentials: { type: 'Secret', secret: { name: 'keys', key: 'api-key' } },
      models: [{ name: 'gpt-4o-mini' }],
    }),
  )
  const split = targets.map(({ weight }, i) => ({ endpoint: { name: `model-${i}` }, weight }))
  const rules = [
    { name: 'trial', matches: [{ headers: [{ name: 'x-trial', value: 'yes' }] }], targets: [split[1]] },
    { name: 'everything', targets: split, retry: { attempts: 2 } },
  ]
  const names = ['gpt-4o-mini', 'support-chat', ...Array.from({ length: routes }, (_, i) => `other-${i}`)]
  return [
    ...endpoints,
    ...names.slice(0, Math.max(2, routes)).map((model) => manifest('ModelRoute', model, { models: [model], rules })),
  ]
}

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

/** Ours: the sidecar by itself, serving from its last good configuration. */
export const tradewind: System = {
  name: 'tradewind',
  features:
    'match by model and header, weighted split 90/10, retries with a budget, circuit breaker with passive health, deadlines, credentials, metrics, JSON log line, 1 % sampled tracing, usage; one process',
  async install() {
    await bundle('sidecar/main.ts', program)
    return RELEASE
  },
  async prepare(deployment) {
    const { directory, port, adminPort, metricsPort, targets } = deployment
    const state = join(directory, 'state')
    mkdirSync(state, { recursive: true })
    const objects = manifests(deployment)
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
    return { command: [process.execPath, program], environment, port, headers: {}, config }
  },
  async evidence({ directory, metricsPort }) {
    const line = lastLine(join(directory, 'log'), '"msg":"request"')
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    const shown = metrics
      .split('\n')
      .filter((line) =>
        /^(tradewind_(requests|attempts|tokens|retries|breaker)|gen_ai_client_operation_duration_seconds_count)/.test(
          line,
        ),
      )
    return [line, ...shown.slice(0, 14)].join('\n')
  },
}
