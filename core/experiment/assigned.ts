import type { Target } from '../target.ts'
import { assign } from './assignment.ts'
import type { Arm, Assignment, Division } from './assignment.ts'

export interface TargetArm extends Arm {
  readonly target: Target
}

/** An experiment of a rule, as the request path has it. */
export interface Experiment extends Division<TargetArm> {
  readonly name: string
  /** The header that holds the unit, in lower case; undefined: each request is one. */
  readonly unit: string | undefined
}

/** A request, as far as it says to which unit it belongs. */
interface Asking {
  header(name: string): string | undefined
  readonly facts: { readonly requestId: string }
}

/**
 * Where a request belongs; undefined where it is no part of the experiment: it names no unit, its unit is of another part of the layer, or
 * something about it keeps it from the target of some arm (`open` says of a target whether it does not), so that arms would not be alike.
 */
export function assignedOf(
  { unit, arms, salt, layer }: Experiment,
  request: Asking,
  open: (target: Target) => boolean,
): Assignment<TargetArm> | undefined {
  const key = unit === undefined ? request.facts.requestId : request.header(unit)
  if (!key || !arms.every(({ target }) => open(target))) return undefined
  return assign({ salt, layer, arms }, key)
}
