import type { CompiledConfig, ResourceKey, ResourceKind } from '../api/compiled.ts'
import { EMPTY_DIGEST, toggle } from '../core/digest.ts'
import type { Deps } from '../core/deps.ts'
import { difference } from './difference.ts'
import type { Endpoints } from './endpoints.ts'
import { RuntimeBuilder } from './runtime.ts'
import type { Problem, Runtime } from './runtime.ts'
import { validators } from './validators.ts'

/** What is in force. */
export interface Current {
  readonly config: CompiledConfig
  /** Of the whole; `EMPTY_DIGEST` before the first. */
  readonly digest: string
  /** Milliseconds since the epoch; 0 before the first. */
  readonly since: number
}

/** The configuration in force and how it is replaced: whole, or not at all. */
export class Configuration {
  /** Undefined until there is a configuration. */
  runtime: Runtime | undefined
  /** Called after each that comes into force. */
  onChange: ((runtime: Runtime) => void) | undefined
  private readonly builder: RuntimeBuilder
  private readonly endpoints: Endpoints
  private readonly wall: () => number
  private inForce: Current = { config: new Map(), digest: EMPTY_DIGEST, since: 0 }

  constructor(deps: Deps, endpoints: Endpoints) {
    this.builder = new RuntimeBuilder(deps, endpoints)
    this.endpoints = endpoints
    this.wall = deps.wall
  }

  /**
   * Puts a configuration into force, for exchanges that begin from now on; or returns why not, and the one before serves on. `since`: when
   * it came into force first, ms since the epoch.
   */
  apply(config: CompiledConfig, since = this.wall()): readonly Problem[] {
    const before = this.inForce
    const changed = difference(before.config, config)
    const problems: Problem[] = []
    let { digest } = before
    for (const key of changed) {
      const [old, now] = [before.config.get(key), config.get(key)]
      if (old) digest = toggle(digest, key, old.digest)
      if (!now) continue
      digest = toggle(digest, key, now.digest)
      problems.push(...this.validate(key, now.body))
    }
    if (problems.length > 0) return problems
    const built = this.builder.build(config, changed)
    if (!('handle' in built)) return built
    this.runtime = built
    this.inForce = { config, digest, since }
    this.onChange?.(built)
    return []
  }

  /** Lets go of all connections; what is in flight goes on. */
  close(): void {
    this.endpoints.settle([])
  }

  current(): Current {
    return this.inForce
  }

  private validate(resource: ResourceKey, body: unknown): Problem[] {
    const kind = resource.slice(0, resource.indexOf('/'))
    if (!isKind(kind)) return [{ resource, path: '', message: `There is no resource of kind ${kind}.` }]
    const validator = validators[kind]
    if (validator(body)) return []
    return (validator.errors ?? []).map(({ instancePath, message = 'is invalid' }) => ({
      resource,
      path: instancePath,
      message,
    }))
  }
}

const isKind = (kind: string): kind is ResourceKind => Object.hasOwn(validators, kind)
