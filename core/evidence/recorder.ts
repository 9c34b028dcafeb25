import { Recent } from '../recent.ts'
import { Book } from './book.ts'
import type { Counter, Sample } from './counter.ts'

/** A version of a rule under which evidence is gathered. It never mixes with that of another version. */
export interface Gathering {
  /** `namespace/name`. */
  readonly route: string
  readonly rule: string
  readonly version: string
}

/** Names a gathering among all. */
export const gatheringKey = ({ route, rule, version }: Gathering): string => `${route} ${rule} ${version}`

/** At least so many exchanges can be rated later by their request id, and at most twice as many. */
const LEAST = 8192

interface Rateable {
  readonly book: Book
  readonly counter: Counter
  quality: number | undefined
}

/**
 * Counts what becomes of exchanges, for the versions of rules that are in force and ask for it; of others nothing is kept. A target's arm is
 * its id (`armOf`); whoever else gathers evidence has arms under names of its own.
 */
export class Recorder {
  readonly #name: () => string
  readonly #books = new Map<string, Gathering & { readonly book: Book }>()
  readonly #recent = new Recent<Rateable>(LEAST)

  /** `name` makes names that are all different, over all places and times. */
  constructor(name: () => string) {
    this.#name = name
  }

  /** Counts an exchange of an arm. `id`: its request's, where its answer may yet be rated. */
  add(route: string, rule: string, version: string, arm: string, sample: Sample, id?: string): void {
    const book = this.#books.get(gatheringKey({ route, rule, version }))?.book
    const counter = book?.add(arm, sample)
    if (book && counter && id !== undefined) this.#recent.set(id, { book, counter, quality: undefined })
  }

  /**
   * How good the answer to a request was, 0…1; a later word stands in the place of the one before. Whether the request is one of those that
   * were counted with an `id` lately.
   */
  rate(id: string, quality: number): boolean {
    const found = this.#recent.get(id)
    if (!found) return false
    found.counter.rate(quality, found.quality)
    found.book.fresh = true
    found.quality = quality
    return true
  }

  /** The versions that are in force now: those that are new begin with nothing, and those that are not among them are forgotten. */
  keep(gatherings: Iterable<Gathering>): void {
    const keys = new Set<string>()
    for (const gathering of gatherings) {
      const key = gatheringKey(gathering)
      keys.add(key)
      if (!this.#books.has(key)) this.#books.set(key, { ...gathering, book: new Book(this.#name) })
    }
    for (const key of this.#books.keys()) if (!keys.has(key)) this.#books.delete(key)
  }

  find(gathering: Gathering): Book | undefined {
    return this.#books.get(gatheringKey(gathering))?.book
  }

  all(): Iterable<Gathering & { readonly book: Book }> {
    return this.#books.values()
  }
}
