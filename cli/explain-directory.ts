import type { CompiledConfig, CompiledResource, ResourceKey } from '../api/compiled.ts'
import type { Deps } from '../core/deps.ts'
import { explain } from '../core/explain.ts'
import type { Explanation } from '../core/explain.ts'
import { compile } from '../operator/compile/index.ts'
import { DirectorySource } from '../operator/source/directory.ts'
import type { Labels, World } from '../operator/world.ts'
import { Configuration } from '../sidecar/config.ts'
import { Endpoints } from '../sidecar/endpoints.ts'
import type { Question } from './explain.ts'
import { Failure } from './failure.ts'
import { namespaceOf } from './local/source.ts'

/** Explains by the manifests of a directory: compiled as the operator does, and loaded as the pod's sidecar would. Connects to nothing. */
export async function explainDirectory(
  directory: string,
  { model, path, headers, body, at }: Question,
  { namespace, labels }: { readonly namespace?: string | undefined; readonly labels: Labels },
): Promise<Explanation> {
  const configuration = new Configuration(idle, new Endpoints(idle, process.env))
  try {
    const world = await read(directory)
    const refused = configuration.apply(configOf(world, { namespace: namespace ?? namespaceOf(world), labels }))
    if (refused.length > 0)
      throw new Failure(refused.map((it) => `${it.resource}${it.path} is refused: ${it.message}`).join('; '))
    const { runtime } = configuration
    if (!runtime) throw new Error('a configuration that is not refused has a runtime')
    const told = { model, path, header: (name: string) => headers[name], body }
    return explain(runtime.table, told, idle.now(), at ?? idle.wall())
  } finally {
    configuration.close()
  }
}

async function read(directory: string): Promise<World> {
  const source = new DirectorySource(directory, { environment: process.env })
  try {
    await source.start(() => {})
  } catch (error) {
    throw new Failure(`${directory} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await source.stop()
  }
  for (const { at, path, message } of source.findings)
    process.stderr.write(`warning: ${[at, path, message].filter(Boolean).join(': ')}\n`)
  return source.world()
}

function configOf(world: World, pod: { readonly namespace: string; readonly labels: Labels }): CompiledConfig {
  const compiled = compile(world, { allowLoopback: true })
  const config = new Map<ResourceKey, CompiledResource>()
  for (const key of compiled.audience(pod).keys.keys()) {
    const found = compiled.resource(key, [])
    if (found) config.set(key, found)
  }
  return config
}

/** Nothing is asked, so nothing waits and nothing is told. */
const idle: Deps = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  sleep: async () => {},
  deadlines: { add: () => {}, remove: () => {} },
  telemetry: {
    attemptStarted: () => undefined,
    attemptEnded: () => {},
    exchangeStarted: () => {},
    exchangeEnded: () => {},
  },
}
