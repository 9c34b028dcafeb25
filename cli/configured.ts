import type { CompiledConfig, CompiledResource, ResourceKey } from '../api/compiled.ts'
import type { Deps } from '../core/deps.ts'
import { compile } from '../operator/compile/index.ts'
import { DirectorySource } from '../operator/source/directory.ts'
import type { Labels, World } from '../operator/world.ts'
import { Configuration } from '../sidecar/config.ts'
import { Endpoints } from '../sidecar/endpoints.ts'
import { Failure } from './failure.ts'
import { namespaceOf } from './local/source.ts'

/** The pod whose sidecar it would be. */
export interface Pod {
  readonly namespace?: string | undefined
  readonly labels: Labels
}

/**
 * What a directory of manifests becomes on the request path: compiled as the operator does, and loaded as the pod's sidecar would. Connects
 * to nothing; `close` lets go of it. `environment`: for the variables in secrets. Throws `Failure` where it cannot be read or is refused.
 */
export async function configured(
  directory: string,
  { namespace, labels }: Pod,
  deps: Deps,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Configuration> {
  const configuration = new Configuration(deps, new Endpoints(deps, process.env))
  const world = await read(directory, environment)
  const refused = configuration.apply(configOf(world, { namespace: namespace ?? namespaceOf(world), labels }))
  if (refused.length === 0) return configuration
  configuration.close()
  throw new Failure(refused.map((it) => `${it.resource}${it.path} is refused: ${it.message}`).join('; '))
}

async function read(directory: string, environment: NodeJS.ProcessEnv): Promise<World> {
  const source = new DirectorySource(directory, { environment })
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
