import type { Gathering } from '../core/evidence/recorder.ts'
import type { CompiledConfig, CompiledRoute, CompiledRule } from './compiled.ts'

/** The versions under which a rule gathers evidence: all that is told of others is not heard. */
export function versionsOf({ evidence, mirror }: CompiledRule): readonly string[] {
  return [...(evidence ? [evidence.version] : []), ...(mirror ? [mirror.version] : [])]
}

/** Those of a route. */
function gatheringsOf({ name: route, rules }: CompiledRoute): readonly Gathering[] {
  return rules.flatMap((rule) => versionsOf(rule).map((version) => ({ route, rule: rule.name, version })))
}

/** Those of a whole configuration. */
export function gatheringsIn(config: CompiledConfig): readonly Gathering[] {
  return [...config.values()].flatMap(({ body }) => ('rules' in body ? gatheringsOf(body) : []))
}
