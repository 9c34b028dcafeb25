import type { ModelEndpoint } from '../api/model-endpoint.ts'
import type { ModelRoute } from '../api/model-route.ts'
import { fullName } from '../api/resource.ts'
import { precedence } from '../core/claims.ts'
import { compileEndpoint, type CompileOptions } from './compile/endpoint.ts'
import type { Compiled } from './compile/index.ts'
import { idle, NOT_ALLOWED, untimely } from './compile/faults.ts'
import { compileRoute, type RouteResult } from './compile/route.ts'
import { secretsOf } from './compile/secrets.ts'
import { flat } from './compile/flat.ts'
import { unjudged } from './compile/unjudged.ts'
import { unrated } from './compile/unrated.ts'
import type { World } from './world.ts'

/** What admission says to an object that the schema admits. */
export interface Verdict {
  /** Why it is refused; undefined: it is admitted. */
  readonly refused?: string
  /** What `kubectl` prints and goes on. */
  readonly warnings: readonly string[]
}

/** The API server cuts warnings at 256 characters, and all of them together at 4096. */
const LONGEST = 256
const MOST = 12

/**
 * What the schema cannot say of an object, since it takes the others, the operator's settings or the time (`wall`, ms since the epoch): a loopback
 * address is refused, and so are faults where none are allowed, or that end too far ahead; what does
 * not resolve yet, and models that another route asks for too, are warnings only, since manifests come in any order.
 */
export function validate(
  object: ModelRoute | ModelEndpoint,
  world: World,
  compiled: Compiled | undefined,
  options: CompileOptions,
  wall = Date.now(),
): Verdict {
  if (object.kind === 'ModelEndpoint') {
    const { refused } = compileEndpoint(object, world, [], options, undefined)
    // Services and pods are watched for endpoints that are there, so that nothing is known of those that a new one names.
    const { faults } = secretsOf(object, world.secrets)
    return { ...(refused ? { refused: refused.message } : {}), warnings: brief(faults.map((it) => it.message)) }
  }
  const route = compileRoute(object, (name) => compiled?.endpoints.get(name)?.referred, world, undefined, options)
  const late = untimely(object, wall)
  const refused = [...route.disallowed.map(({ path }) => `${path}: ${NOT_ALLOWED.message}`), ...late.refused.map(line)]
  if (refused.length > 0) return { refused: refused.join(' '), warnings: [] }
  const endpoints = (name: string) => world.endpoints.get(name)
  const opaque = (name: string) => world.endpoints.get(name)?.spec.provider.type === 'HTTP'
  const doubts = [
    ...route.unresolved,
    ...unrated(object, endpoints),
    ...flat(object, endpoints),
    ...unjudged(object),
    ...idle(route.body, opaque),
  ]
  const unresolved = doubts.map(line)
  const others = [...(compiled?.routes.values() ?? [])].filter(
    (it) => it.namespace === object.metadata.namespace && it.name !== fullName(object.metadata),
  )
  return {
    warnings: brief([...unresolved, ...late.warnings.map(line), ...others.flatMap((other) => contested(route, other))]),
  }
}

const line = ({ path, message }: { readonly path: string; readonly message: string }) => `${path}: ${message}`

/** What two routes of a namespace both ask for, and who gets it on a pod that both select. */
function contested(route: RouteResult, other: RouteResult): readonly string[] {
  const both = route.body.models.filter((model) => other.body.models.includes(model))
  return both.map((model) => {
    // One that is being created is younger than all that are there.
    const created = route.body.created || Number.MAX_SAFE_INTEGER
    const winner = precedence({ ...route.body, created }, other.body) > 0 ? 'it' : 'this route'
    return `spec.models: ModelRoute ${other.name} asks for ${JSON.stringify(model)} too; on a pod that both select, ${winner} gets it.`
  })
}

function brief(warnings: readonly string[]): readonly string[] {
  const cut = warnings.slice(0, MOST).map((it) => (it.length > LONGEST ? `${it.slice(0, LONGEST - 1)}…` : it))
  return warnings.length > MOST ? [...cut, `… and ${warnings.length - MOST} more.`] : cut
}
