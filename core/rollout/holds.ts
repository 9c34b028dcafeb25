import type { Taken } from './evidence.ts'
import type { Input } from './input.ts'
import type { Plan } from './plan.ts'
import type { Reason, State } from './state.ts'

/** Why a rollout does not go on yet. */
export interface Hold {
  readonly reason: Reason
  readonly message: string
}

/** Pods that are named in a message. */
const SOME = 5

const hold = (reason: Reason, message: string): Hold => ({ reason, message })

/** Not every sidecar has what was decided last. */
function acknowledge({ waitsFor, waiting }: State, { sidecars }: Input): Hold | undefined {
  if (!sidecars.inForce) return hold('WaitingForSidecars', 'The sidecars are being told.')
  if (waiting > 0) {
    const more = waiting > waitsFor.length ? ` and ${waiting - waitsFor.length} more` : ''
    return hold('WaitingForSidecars', `It waits for ${waitsFor.join(', ')}${more} to acknowledge it.`)
  }
  if (sidecars.connected === 0) return hold('NoSidecars', 'No sidecar that serves the route is connected.')
  return undefined
}

function fit({ canary, open }: Input): Hold | undefined {
  if (canary.fault !== undefined) return hold('CanaryUnavailable', canary.fault)
  if (open.canary > 0)
    return hold('CanaryUnhealthy', `The canary's circuit breaker is open in ${open.canary} sidecars.`)
  return undefined
}

/** Those of whose requests nothing will be known, whatever comes of them. */
function untold({ sidecars: { mute = [] } }: Input): string {
  if (mute.length === 0) return ''
  const more = mute.length > SOME ? ` and ${mute.length - SOME} more` : ''
  return ` Sidecars of ${mute.slice(0, SOME).join(', ')}${more} are too old to tell of theirs: restart these pods.`
}

function step(plan: Plan, { state, whole, blind }: Taken, input: Input): Hold | undefined {
  const here = acknowledge(state, input) ?? fit(input)
  if (here) return here
  const { dwell, samples } = plan.steps[state.step] ?? { dwell: 0, samples: 0 }
  const until = (state.acknowledged ?? input.now) + dwell
  if (input.now < until)
    return hold('Dwelling', `The step lasts until ${new Date(until).toISOString().replace(/\.\d+Z$/, 'Z')} at least.`)
  const { canary, stable } = state.seen
  if (!whole)
    return canary + stable > 0
      ? hold('EvidenceIncomplete', 'Not all sidecars have told again what was known before.')
      : hold('NoData', `No request has been told of: no data is not good news.${untold(input)}`)
  if (Math.min(canary, stable) < Math.max(1, samples))
    return hold(
      'CollectingSamples',
      `${canary} requests of the canary and ${stable} of the stable targets of ${samples} each.${untold(input)}`,
    )
  if (blind.length > 0) return hold('NoData', `There is nothing to compare for ${blind.join(', ')} yet.`)
  return undefined
}

/** What keeps a rollout from beginning, from its next step, and from being promoted. */
export const holds = {
  acknowledge,
  begin: (state: State, input: Input): Hold | undefined => acknowledge(state, input) ?? fit(input),
  step,
  promote: ({ unproven }: Taken): Hold | undefined =>
    unproven.length === 0
      ? undefined
      : hold('AwaitingProof', `Harm beyond the margin is not excluded yet for ${unproven.join(', ')}.`),
}
