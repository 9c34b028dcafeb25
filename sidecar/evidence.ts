import type { Counted, Evidence, Retell } from '../api/protocol.ts'
import type { Book } from '../core/evidence/book.ts'
import type { Recorder } from '../core/evidence/recorder.ts'
import type { WireBase } from '../core/evidence/wire.ts'

interface Options {
  readonly recorder: Recorder
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly send: (evidence: Evidence) => void
}

/** How one version stands with the operator. */
interface Standing {
  /** When it was last told. */
  at: number
  /** What it carries for those that have gone. */
  base: WireBase | undefined
  /** Whether it has been told on this connection, and whether that has been heard. */
  greeted: boolean
  answered: boolean
}

/** How often what is new is told, until the operator says otherwise; and what has not been heard is told again, ms. */
const EVERY = 1000
const AGAIN = 3000
const TICK = 250
/** Versions in one message: 128 arms with every bucket in each of them still pass. */
const MOST = 8

/**
 * Tells the operator what became of requests under each version of a rule that gathers evidence: about every second while something is new,
 * and on each connection, whole each time. What was told and not heard waits for its turn again, so that there is never more than one under way.
 */
export class EvidenceLink {
  readonly #options: Options
  readonly #standing = new WeakMap<Book, Standing>()
  #every = EVERY
  #timer: NodeJS.Timeout | undefined
  #open = false

  constructor(options: Options) {
    this.#options = options
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tell((standing, book) => this.#due(standing, book)), TICK)
  }

  /** Tells what is left to be told. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#tell((_, book) => book.fresh || book.unheard)
  }

  /** A connection is there, and the operator knows who this is. */
  opened(): void {
    this.#open = true
    for (const { book } of this.#options.recorder.all())
      Object.assign(this.#of(book), { greeted: false, answered: false })
    this.#tell(() => true)
  }

  closed(): void {
    this.#open = false
  }

  hear(message: Counted | Retell): void {
    if (message.type === 'retell') return this.opened()
    this.#every = message.every
    for (const { epoch, seq, closed, base, ...gathering } of message.rules) {
      const book = this.#options.recorder.find(gathering)
      // Said to an earlier epoch of this one.
      if (book?.epoch !== epoch) continue
      this.#of(book).answered = true
      if (base) this.#of(book).base = base
      if (!closed) book.heard(seq)
      else {
        book.rename(seq)
        this.#tell((_, it) => it === book)
      }
    }
  }

  /** What was counted here: for people. */
  page(): object {
    const rules = [...this.#options.recorder.all()].map(({ route, rule, version, book }) => {
      const carries = this.#of(book).base?.covers.length ?? 0
      const arms = [...book.arms].map(([arm, { n, errors, latency }]) => {
        const p95 = latency.quantile(0.95)
        return { arm, requests: n, errors, p95Ms: Number.isNaN(p95) ? null : Math.round(p95 * 10) / 10 }
      })
      return { route, rule, version, heard: !book.unheard && !book.fresh, carries, arms }
    })
    return { rules }
  }

  #due({ at, greeted }: Standing, book: Book): boolean {
    const waited = this.#options.now() - at
    if (!greeted) return true
    return book.unheard ? waited >= Math.max(AGAIN, this.#every) : book.fresh && waited >= this.#every
  }

  #tell(which: (standing: Standing, book: Book) => boolean): void {
    if (!this.#open) return
    const rules: Evidence['rules'][number][] = []
    for (const { route, rule, version, book } of this.#options.recorder.all()) {
      const standing = this.#of(book)
      if (!which(standing, book)) continue
      const base = standing.answered ? undefined : standing.base
      standing.at = this.#options.now()
      standing.greeted = true
      const { seq, arms } = book.share()
      const told = { route, rule, version, epoch: book.epoch, seq, arms }
      rules.push(base ? { ...told, base } : told)
    }
    for (let at = 0; at < rules.length; at += MOST)
      this.#options.send({ type: 'evidence', rules: rules.slice(at, at + MOST) })
  }

  #of(book: Book): Standing {
    const known = this.#standing.get(book)
    if (known) return known
    const made = { at: this.#options.now(), base: undefined, greeted: false, answered: false }
    this.#standing.set(book, made)
    return made
  }
}
