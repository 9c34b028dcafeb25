import type { ModelRoute } from '../../api/model-route.ts'
import { parse } from '../../api/parse.ts'
import { documents, YamlError } from '../../api/yaml.ts'
import type { Plan } from '../../core/rollout/plan.ts'
import { courseOf } from '../../operator/rollout/plan.ts'
import { Failure } from '../failure.ts'
import { readManifests } from '../manifests.ts'
import { chosen, none } from './which.ts'
import type { Which } from './which.ts'

/** The rollout of a rule, as its manifest says it. */
export interface Planned {
  readonly route: string
  readonly rule: string
  readonly canary: string
  readonly course: Pick<Plan, 'steps' | 'guardrails' | 'alpha'>
}

/** Those that are meant of some manifests' rollouts. Throws `Failure` where there is none. */
export function meant(all: readonly Planned[], wanted: Which): readonly Planned[] {
  const found = chosen(all, wanted)
  if (found.length > 0) return found
  throw new Failure(
    wanted.route === undefined ? 'There is no rollout: no rule of a route says `rollout`.' : none(all, wanted),
  )
}

/** The rollouts of files of manifests, or of standard input. Throws `Failure` where a route there is wrong. */
export async function ofFiles(paths: readonly string[]): Promise<readonly Planned[]> {
  const files = await readManifests(paths)
  return files.flatMap(({ name, text }) => {
    try {
      return documents(text).flatMap(({ value }) => ofManifests(listed(value), name))
    } catch (error) {
      if (error instanceof YamlError) throw new Failure(`${name}:${error.position.line}: ${error.message}`)
      throw error
    }
  })
}

/** The rollouts of routes; `from` is where they are from, for people. `stored`: the API server has checked them. */
export function ofManifests(values: readonly unknown[], from: string, stored = false): readonly Planned[] {
  return values
    .filter((value) => (Object(value) as { kind?: unknown }).kind === 'ModelRoute') // whatever it is, it may have no such field
    .flatMap((value) => {
      const parsed = parse(value, { rules: !stored })
      if (parsed.ok) return ofRoute(parsed.object as ModelRoute) // by its kind
      const [problem] = parsed.problems
      throw new Failure(`${from}: ${problem?.path}: ${problem?.message}`)
    })
}

/** `kubectl get -o yaml` gives several objects as one list. */
function listed(value: unknown): readonly unknown[] {
  const { items } = Object(value) as { items?: unknown } // as above
  return Array.isArray(items) ? (items as readonly unknown[]) : [value] // of whatever
}

function ofRoute({ metadata, spec }: ModelRoute): readonly Planned[] {
  return spec.rules.flatMap(({ name, rollout }, i) => {
    if (!rollout) return []
    const { canary } = rollout
    const endpoint = canary.namespace === undefined ? canary.name : `${canary.namespace}/${canary.name}`
    return [
      {
        route: `${metadata.namespace}/${metadata.name}`,
        rule: name ?? `${i}`,
        canary: canary.model === undefined ? endpoint : `${endpoint}/${canary.model}`,
        course: courseOf(rollout),
      },
    ]
  })
}
