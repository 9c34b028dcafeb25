import { Failure } from '../../core/errors.ts'

/** What holds no longer than this is not used any more, ms: it has to last as far as the provider. */
const LEAST = 30_000
/** What holds no longer than this is renewed while it still serves, ms. */
const EARLY = 5 * 60_000
/** After a failure nobody is asked for so long, ms. */
const PAUSE = 1000

/** Something that serves until a time, ms since the epoch: had when it is first wanted, kept, and renewed before it ends. */
export class Renewed<T extends { readonly expires: number }> {
  /** What is at hand, whether or not it still serves. */
  private current: T | undefined
  private readonly fetch: (wall: number) => Promise<T>
  /** What was there before it: a call that was signed with that may still be under way. */
  private before: T | undefined
  private coming: Promise<T> | undefined
  private failed: { readonly at: number; readonly failure: Failure } | undefined

  /** `fetch` rejects with a `Failure`. */
  constructor(fetch: (wall: number) => Promise<T>) {
    this.fetch = fetch
  }

  /** At once where it is at hand, else when it has come. `wall` is in ms since the epoch. Rejects with a `Failure`. */
  get(wall: number): T | Promise<T> {
    const { current } = this
    const left = current ? current.expires - wall : 0
    if (!current || left <= LEAST) return this.renew(wall)
    // In the background: should it fail, the next call tries again for as long as this one holds.
    if (left <= EARLY) this.renew(wall).catch(() => undefined)
    return current
  }

  /** What calls that are under way may have been signed with. */
  get known(): readonly T[] {
    return [this.current, this.before].filter((it) => it !== undefined)
  }

  /** One request at a time, whoever waits for it. */
  private renew(wall: number): Promise<T> {
    if (this.coming) return this.coming
    const { failed } = this
    if (failed && wall - failed.at >= 0 && wall - failed.at < PAUSE) return Promise.reject(failed.failure)
    this.coming = this.fetch(wall)
      .then(
        (value) => {
          this.failed = undefined
          this.before = this.current
          return (this.current = value)
        },
        (error: unknown) => {
          const failure = error instanceof Failure ? error : new Failure('internal', { cause: error })
          this.failed = { at: wall, failure }
          throw failure
        },
      )
      .finally(() => (this.coming = undefined))
    return this.coming
  }
}
