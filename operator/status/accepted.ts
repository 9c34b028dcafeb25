import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import type { Fault } from '../compile/addresses.ts'
import type { Untimed } from '../settle.ts'
import type { Problem } from '../world.ts'
import type { View } from './view.ts'

/**
 * Whether the object is in force as it is written; `fault` is what the compile has against it, `note` what there is to say nevertheless.
 * `id` is `KIND namespace/name`.
 */
export function accepted(view: View, id: string, generation: number, fault: Fault | undefined, note = ''): Untimed {
  const type = CONDITIONS.accepted
  const invalid = view.compiled.invalid.get(id)
  if (invalid) {
    const rest = generation > 0 ? ` Generation ${generation} goes on serving.` : ''
    return {
      type,
      status: 'False',
      reason: REASONS.invalid,
      message: `${invalid.problems.map(sentence).join(' ')}${rest}`,
      observedGeneration: invalid.generation,
    }
  }
  return fault
    ? { type, status: 'False', ...fault, observedGeneration: generation }
    : {
        type,
        status: 'True',
        reason: REASONS.accepted,
        message: `It is in force as it is written.${note}`,
        observedGeneration: generation,
      }
}

/** A problem in one line: where, which field, what. */
function sentence({ at, path, message }: Problem): string {
  const text = [at, path, message].filter((part) => part !== undefined && part !== '').join(': ')
  return /[.!?]$/.test(text) ? text : `${text}.`
}
