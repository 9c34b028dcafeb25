import { CONDITIONS, REASONS } from '../api/conditions.ts'
import { conditionsOf, type Status } from './settle.ts'

/** Something about an object that people want to hear of. */
export interface Happening {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly note: string
}

/** Reasons of states that pass by themselves, moment by moment. */
const PASSING: ReadonlySet<string> = new Set([REASONS.pending, REASONS.noSidecars, REASONS.unused])
/** Conditions whose good state is worth a word the first time it is reached. */
const GOOD_NEWS: ReadonlySet<string> = new Set([CONDITIONS.accepted, CONDITIONS.programmed])

/** Conditions that are there for what is not as usual. */
const BAD_NEWS: ReadonlySet<string> = new Set([CONDITIONS.partiallyInvalid, CONDITIONS.faultsInjected])

/** What happened between two statuses of an object: transitions of its conditions, and breakers that open and close. */
export function happenings(before: unknown, after: Status): readonly Happening[] {
  const old = conditionsOf(before)
  const transitions = (after.conditions ?? []).flatMap(({ type, status, reason, message }): Happening[] => {
    const was = old.find((it) => it.type === type)
    if (PASSING.has(reason) || status === 'Unknown') return []
    if (was?.status === status && was.reason === reason) return []
    const bad = BAD_NEWS.has(type) ? status === 'True' : status === 'False'
    if (!bad && !was && !GOOD_NEWS.has(type)) return []
    // Counts change with every sidecar; the same words make one Event of many.
    return [{ type: bad ? 'Warning' : 'Normal', reason, note: bad ? `${type}: ${message}` : `${type} is ${status}.` }]
  })
  const injected = (all: readonly { readonly type: string; readonly status: string }[]) =>
    all.some(({ type, status }) => type === CONDITIONS.faultsInjected && status === 'True')
  // The condition goes with the faults, and so there is none to tell of their end.
  const ended: Happening[] =
    injected(old) && !injected(after.conditions ?? [])
      ? [{ type: 'Normal', reason: 'FaultsEnded', note: 'Failures are injected on purpose no longer.' }]
      : []
  const [opened, open] = [openOn(before), openOn(after)]
  const breaker = (type: Happening['type'], reason: string, models: readonly string[], words: string): Happening[] =>
    models.length ? [{ type, reason, note: `The circuit breaker on ${models.join(', ')} ${words}.` }] : []
  return [
    ...transitions,
    ...ended,
    ...breaker(
      'Warning',
      'BreakerOpen',
      open.filter((it) => !opened.includes(it)),
      'is open in one or more sidecars',
    ),
    ...breaker(
      'Normal',
      'BreakerClosed',
      opened.filter((it) => !open.includes(it)),
      'is closed in all sidecars',
    ),
  ]
}

/** The models of an endpoint's status on which some sidecar has an open breaker. */
function openOn(status: unknown): readonly string[] {
  const { models = [] } = Object(status) as { models?: readonly { name: string; open?: number }[] } // a route's has none
  return models.filter(({ open = 0 }) => open > 0).map(({ name }) => name || 'the endpoint')
}
