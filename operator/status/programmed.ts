import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import type { Untimed } from '../settle.ts'
import type { Reach } from './view.ts'

const NAMED = 5

/** Up to five of the names, and how many more there are. */
export function some(names: readonly string[]): string {
  const named = names.toSorted().slice(0, NAMED).join(', ')
  return names.length > NAMED ? `${named} and ${names.length - NAMED} more` : named
}

/**
 * Whether the sidecars have what the object says: True when every connected one has acknowledged it. Pods that are targeted and not connected
 * are named, and so are those that refused it, with what they say.
 */
export function programmed(reach: Reach, generation: number, selected: string): Untimed {
  const { targeted, connected, acknowledged, tooOld, missing, refusals } = reach
  const condition = (status: Untimed['status'], reason: string, message: string): Untimed => ({
    type: CONDITIONS.programmed,
    status,
    reason,
    message: missing.length > 0 && connected > 0 ? `${message} Not connected: ${some(missing)}.` : message,
    observedGeneration: generation,
  })
  if (targeted === 0) return condition('False', REASONS.noSidecars, `No running pod with a sidecar ${selected}.`)
  if (refusals.length > 0) {
    const [{ errors } = { errors: [] }] = refusals
    const said = errors
      .slice(0, NAMED)
      .map(({ resource, path, message }) => [`${resource} ${path}`.trim(), message].filter(Boolean).join(': '))
      .join('; ')
    const pods = some(refusals.map(({ pod }) => pod))
    const message = `${refusals.length} of ${connected} connected sidecars refused generation ${generation} and serve what they had: ${pods}. ${said}`
    return condition('False', REASONS.rejected, message)
  }
  if (tooOld.length > 0) {
    const message = `${tooOld.length} of ${connected} connected sidecars are too old for it: ${some(tooOld)}. Restart these pods to have them updated.`
    return condition('False', REASONS.sidecarTooOld, message)
  }
  if (connected === 0)
    return condition(
      'False',
      REASONS.pending,
      `${targeted === 1 ? 'The only pod is' : `All ${targeted} pods are`} not connected: ${some(missing)}.`,
    )
  if (acknowledged < connected)
    return condition(
      'False',
      REASONS.pending,
      `${acknowledged} of ${connected} connected sidecars serve generation ${generation}.`,
    )
  return condition(
    'True',
    REASONS.programmed,
    connected === 1
      ? `The one connected sidecar serves generation ${generation}.`
      : `All ${connected} connected sidecars serve generation ${generation}.`,
  )
}
