import type { CompiledResource, ResourceKey } from '../../api/compiled.ts'
import type { Invalid, Labels, World } from '../world.ts'
import type { Audience, Moved } from './audience.ts'
import { Compiler } from './compiler.ts'
import type { Conflicts } from './conflicts.ts'
import type { CompileOptions, EndpointResult } from './endpoint.ts'
import type { PodIndex } from './pods.ts'
import type { RouteResult } from './route.ts'

/** What differs from the compile before. */
export interface Changes extends Moved {
  /** Resources whose content differs, came or went. */
  readonly resources: Set<ResourceKey>
  /** Objects whose status may differ, `ModelRoute namespace/name`. */
  readonly objects: Set<string>
  /** Pods that came, went, or are not as they were, `namespace/name`. */
  readonly pods: Set<string>
}

/** What the world comes to; a view that is valid until the next compile of the same compiler. */
export interface Compiled {
  readonly resources: ReadonlyMap<ResourceKey, CompiledResource>
  readonly routes: ReadonlyMap<string, RouteResult>
  readonly endpoints: ReadonlyMap<string, EndpointResult>
  /** Objects that do not parse, by `KIND namespace/name`. */
  readonly invalid: ReadonlyMap<string, Invalid>
  readonly conflicts: Conflicts
  readonly pods: PodIndex
  readonly changes: Changes
  /** The routes that refer to an endpoint, `namespace/name`. */
  users(endpoint: string): readonly string[]
  /** Who a pod is one of, and thereby what its sidecar gets. */
  audience(pod: { readonly namespace: string; readonly labels: Labels }): Audience
  /** A resource as a sidecar gets it that lacks some words of `CAPABILITIES`; undefined where it gets none. */
  resource(key: ResourceKey, lacks: readonly string[]): CompiledResource | undefined
}

/** Compiles a world, whole. What comes out depends on the world and the options only. */
export function compile(world: World, options: CompileOptions): Compiled {
  return new Compiler(options).compile(world)
}
