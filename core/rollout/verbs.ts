import { VERBS } from './state.ts'
import type { Phase, State, Verb } from './state.ts'

/** In which phases each may be done. */
const WHERE: Readonly<Record<Verb, readonly Phase[]>> = {
  pause: ['Pending', 'Progressing'],
  resume: ['Paused'],
  promote: ['Pending', 'Progressing', 'Paused'],
  abort: ['Pending', 'Progressing', 'Paused', 'Promoted'],
  retry: ['RolledBack'],
}

/** Why it cannot be done now, in a sentence that says what could; undefined where it can. */
export function refusal({ phase }: Pick<State, 'phase'>, verb: Verb): string | undefined {
  if (WHERE[verb].includes(phase)) return undefined
  const able = VERBS.filter((other) => WHERE[other].includes(phase))
  const could = able.length > 0 ? `it takes ${able.join(', ')}.` : 'wait until every sidecar has it.'
  return `The rollout is ${phase} and takes no ${verb} now: ${could}`
}
