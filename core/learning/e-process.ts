/** Bets, as shares of the largest one: what is right depends on how far the loss is above its limit, which nobody knows, so that capital is split among them. */
const BETS = [0.03, 0.08, 0.2, 0.45, 0.8]

/** After so many values another gambler starts with fresh capital. */
const BLOCK = 250

/** What an e-process has come to: all that the next value needs. */
export interface EState {
  readonly capital: readonly number[]
  readonly gamblers: number
  readonly values: number
}

/**
 * An e-process against "the mean loss is at most `limit`", for losses in [-1, 1] (Waudby-Smith and Ramdas 2023, section 4; bets mixed as in its section
 * 5.4). While that holds, the chance that `evidence` ever reaches 1 ÷ α is at most α (Ville), however often it is looked at.
 *
 * Where all went well for long, one gambler has lost all but nothing and would notice a change late. So capital is laid aside for gamblers who start
 * anew every 250 values: the j-th has 1 ÷ (j (j + 1)) of it, together 1, which keeps the promise and costs a late one only ln(j (j + 1)).
 */
export class EProcess {
  private readonly capital: Float64Array
  private readonly limit: number
  private gamblers = 1
  private values = 0

  constructor(limit: number) {
    this.limit = limit
    this.capital = Float64Array.from(BETS, () => 0.5)
  }

  /** How it stands, as JSON, to go on from with `restore`. */
  get state(): EState {
    return { capital: [...this.capital], gamblers: this.gamblers, values: this.values }
  }

  restore({ capital, gamblers, values }: EState): void {
    this.capital.set(capital.slice(0, BETS.length))
    this.gamblers = gamblers
    this.values = values
  }

  observe(loss: number): void {
    if (this.values > 0 && this.values % BLOCK === 0) {
      this.gamblers++
      const share = 1 / (this.gamblers * (this.gamblers + 1))
      for (let at = 0; at < this.capital.length; at++) this.capital[at] = (this.capital[at] ?? 0) + share
    }
    this.values++
    // A loss is at least -1, so that the largest bet loses all at once and no bet here does.
    const largest = 1 / (1 + this.limit)
    for (let at = 0; at < this.capital.length; at++)
      this.capital[at] = (this.capital[at] ?? 0) * (1 + (BETS[at] ?? 0) * largest * (loss - this.limit))
  }

  /** The capital of all who bet, and what is laid aside, of 1 in the beginning. */
  get evidence(): number {
    return this.capital.reduce((sum, capital) => sum + capital, 0) / BETS.length + 1 / (this.gamblers + 1)
  }
}
