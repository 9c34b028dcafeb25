import type { CompiledCaller, CompiledMatch } from '../../api/compiled.ts'
import type { CallerSpec, TasksSpec } from '../../api/caller.ts'
import type { MatchSpec } from '../../api/match.ts'

type Conditions = Omit<MatchSpec, 'not'>

/** A match as it goes down: names of headers in lower case, the rest as it is written. */
export function compileMatch({ not, ...conditions }: MatchSpec): CompiledMatch {
  return not ? { ...compileConditions(conditions), not: compileConditions(not) } : compileConditions(conditions)
}

function compileConditions({ model, headers, path, ...rest }: Conditions): Omit<CompiledMatch, 'not'> {
  return {
    ...(model === undefined
      ? {}
      : {
          model: model.endsWith('*') ? { value: model.slice(0, -1), prefix: true } : { value: model, prefix: false },
        }),
    headers: compileHeaders(headers),
    ...(path ? { path } : {}),
    ...rest,
  }
}

/** Conditions on headers, with their names in lower case. */
export function compileHeaders(headers: MatchSpec['headers'] = []): CompiledMatch['headers'] {
  return headers.map(({ name, type, value }) => ({ name: name.toLowerCase(), type, value: value ?? '' }))
}

/** Where a route reads tier and task; nothing where it says nothing of them. */
export function compileCaller(
  caller: CallerSpec | undefined,
  tasks: TasksSpec | undefined,
): { readonly caller?: CompiledCaller } {
  if (!caller && !tasks) return {}
  const { tier, task } = caller ?? {}
  return {
    caller: {
      ...(tier ? { tier: { ...tier, header: tier.header.toLowerCase() } } : {}),
      ...(task ? { taskHeader: task.header.toLowerCase() } : {}),
      ...(tasks ? { tasks } : {}),
    },
  }
}

/** The words of `CAPABILITIES` that a sidecar must know to do what a match says. */
export function matchWords(match: CompiledMatch): readonly string[] {
  const { not, headers, ...conditions } = match
  return [
    ...Object.keys(conditions).map((name) => `match:${name}`),
    ...(headers.length > 0 ? ['match:headers'] : []),
    ...(not ? ['match:not', ...matchWords(not)] : []),
  ]
}
