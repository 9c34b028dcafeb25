import type { CompiledRule } from '../../api/compiled.ts'
import type { ModelRouteSpec } from '../../api/model-route.ts'
import { digest } from '../../core/digest.ts'
import type { Resolved } from './references.ts'

type MirrorSpec = NonNullable<ModelRouteSpec['rules'][number]['mirror']>

/**
 * How a rule is mirrored: not at all where the candidate does not resolve, without marks where the judge does not. `refer` resolves a reference and writes down
 * what comes of it, by its path within the rule.
 */
export function compileMirror(
  { target, judge, ...rest }: MirrorSpec,
  refer: (reference: MirrorSpec['target'], path: string) => Resolved,
): CompiledRule['mirror'] {
  const to = refer(target, 'mirror.target')
  const marks = judge && refer(judge.endpoint, 'mirror.judge.endpoint')
  if (to.fault) return undefined
  const by = { endpoint: to.name, model: to.model }
  const judged =
    judge && marks && !marks.fault
      ? {
          judge: {
            by: { endpoint: marks.name, model: marks.model },
            percent: judge.percent,
            ...(judge.prompt === undefined ? {} : { prompt: judge.prompt }),
          },
        }
      : {}
  // A share, a budget and a bound on calls at a time change how many are compared, and not what is found of each.
  const version = `mirror.${digest([by, rest.maxTokens, judged.judge?.by, judged.judge?.prompt]).slice(0, 12)}`
  return { version, by, ...rest, ...judged }
}
