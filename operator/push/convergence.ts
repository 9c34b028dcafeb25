/** One edit on its way to the sidecars. */
export interface Publication {
  /** When it was made, of the clock given. */
  readonly at: number
  /** Answers that are still to come. */
  open: number
  /** A sidecar refused it, so that it never converges. */
  refused: boolean
}

/** Follows edits until the last sidecar that they concern has answered. */
export class Convergence {
  readonly #open = new Set<Publication>()
  readonly #converged: (ms: number) => void
  readonly #now: () => number

  /** `converged` hears the time from an edit to the last acknowledgement. */
  constructor(now: () => number, converged: (ms: number) => void) {
    this.#now = now
    this.#converged = converged
  }

  /** `at` is the time of the edit. */
  begin(at: number): Publication {
    return { at, open: 0, refused: false }
  }

  await(publication: Publication, answers: number): void {
    if (answers === 0) return
    publication.open += answers
    this.#open.add(publication)
  }

  /** A sidecar has answered, or left. */
  settle(publication: Publication | undefined, refused: boolean): void {
    if (!publication || publication.open === 0) return
    if (refused) publication.refused = true
    if (--publication.open > 0) return
    this.#open.delete(publication)
    if (!publication.refused) this.#converged(this.#now() - publication.at)
  }

  /** How long the oldest edit has been waiting for its last answer, ms; 0 where none is. */
  oldest(): number {
    const [first] = this.#open
    return first ? this.#now() - first.at : 0
  }
}
