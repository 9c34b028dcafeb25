import { CONDITIONS } from '../../api/conditions.ts'
import type { Happening } from '../../core/rollout/happenings.ts'
import type { Finding } from '../../operator/source/shelf.ts'
import type { StatusOf } from '../../operator/statuses.ts'
import { paint } from '../output.ts'
import { injections, objections, problem } from './summary.ts'

interface Told {
  readonly generation: number
  /** What is said of it besides its generation. */
  readonly state: string
  readonly injected: string
}

/** Says, after each save, what changed and whether it is in force, or what is wrong with it; and nothing twice. */
export class Narrator {
  readonly #say: (text: string) => void
  readonly #at: (id: string) => string | undefined
  readonly #told = new Map<string, Told>()
  #findings: ReadonlySet<string> = new Set()
  /** From the last save to the sidecar's answer, ms. */
  took: number | undefined

  /** `at` gives the place of an object in the files. */
  constructor(say: (text: string) => void, at: (id: string) => string | undefined) {
    this.#say = say
    this.#at = at
  }

  /** After the first reading or a save: what is wrong now and was not before. */
  found(findings: readonly Finding[]): void {
    const now = new Set(findings.map(problem))
    this.#say([...now.difference(this.#findings)].join(''))
    if (now.size === 0 && this.#findings.size > 0) this.#say(`${stamp()} all manifests are good again\n`)
    this.#findings = now
  }

  /** An object that is no longer there. */
  gone(id: string): void {
    if (this.#told.delete(id)) this.#say(`${stamp()} ${id} removed\n`)
  }

  /** New statuses. `quiet`: they are those of the start, which the summary tells. */
  statuses(found: ReadonlyMap<string, StatusOf>, quiet: boolean): void {
    for (const [id, status] of found) {
      const before = this.#told.get(id)
      const programmed = status.status.conditions.find(({ type }) => type === CONDITIONS.programmed)
      const inForce = programmed?.status === 'True'
      const refused = programmed?.reason === 'Rejected' ? programmed.message : ''
      const wrong = objections(id, status, this.#at(id))
      const injected = injections(id, status)
      const state = `${inForce} ${refused} ${wrong}`
      // On its way; it is told when it has arrived.
      if (!inForce && !refused && !wrong && programmed?.reason === 'Pending') continue
      const same = before?.generation === status.generation && before.state === state
      if (same && before.injected === injected) continue
      this.#told.set(id, { generation: status.generation, state, injected })
      if (injected !== (before?.injected ?? ''))
        this.#say(injected || `${stamp()} ${id}: nothing is injected any more\n`)
      if (same) continue
      if (refused) this.#say(`${stamp()} ${paint('red', 'refused')} ${id}: ${refused}\n`)
      else if (!quiet && inForce && before?.generation !== status.generation) this.#say(this.#inForce(id, status))
      if (wrong && !before?.state.endsWith(wrong)) this.#say(wrong)
    }
  }

  /** What happened to a rollout of a route. */
  happened(route: string, { type, reason, note }: Happening): void {
    this.#say(`${stamp()} ${paint(type === 'Warning' ? 'red' : 'bold', reason)} ModelRoute ${route}: ${note}\n`)
  }

  #inForce(id: string, { generation, status }: StatusOf): string {
    const split = 'split' in status && status.split ? `: ${status.split}` : ''
    const after =
      this.took === undefined
        ? ''
        : paint('dim', ` (in force ${Math.max(1, Math.round(this.took))} ms after it was seen)`)
    return `${stamp()} ${id} generation ${generation}${split}${after}\n`
  }
}

const stamp = () => paint('dim', new Date().toTimeString().slice(0, 8))
