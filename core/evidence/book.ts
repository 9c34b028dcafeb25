import { Counter } from './counter.ts'
import type { Sample } from './counter.ts'
import type { Tally } from './tally.ts'
import { readArms, writeArms } from './wire.ts'
import type { WireArm } from './wire.ts'

/** Arms of one version; there are no more targets, variants and mirrors than this. */
const MOST_ARMS = 128
/** So many shares are remembered: an operator that begins anew may yet learn that an earlier one is counted as of one that has gone. */
const REMEMBERED = 16

/** What one sidecar has counted under one version of a rule. It tells all of it each time, under a rising number. */
export class Book {
  /** Names this run of it among all: what was counted under another name was counted by another. */
  epoch: string
  /** Something has been counted that no share has told. */
  fresh = false
  readonly #name: () => string
  readonly #arms = new Map<string, Counter>()
  /** As texts, which are the smallest form of them. */
  readonly #told = new Map<number, string>()
  #seq = 0
  #heard = 0

  /** `name` makes names that are all different. */
  constructor(name: () => string) {
    this.#name = name
    this.epoch = name()
  }

  /** Counts an exchange; returns what it was counted in, which may be rated later; undefined where there are too many arms. */
  add(arm: string, sample: Sample): Counter | undefined {
    const known = this.#arms.get(arm)
    if (!known && this.#arms.size >= MOST_ARMS) return undefined
    const counter = known ?? new Counter()
    if (!known) this.#arms.set(arm, counter)
    counter.add(sample)
    this.fresh = true
    return counter
  }

  get arms(): ReadonlyMap<string, Tally> {
    return this.#arms
  }

  /** Whether something that was told has not been heard of since. */
  get unheard(): boolean {
    return this.#seq > this.#heard
  }

  /** All that was counted, as it travels, under the next number. */
  share(): { readonly seq: number; readonly arms: readonly WireArm[] } {
    const arms = writeArms(this.#arms)
    this.#told.set(++this.#seq, JSON.stringify(arms))
    this.#told.delete(this.#seq - REMEMBERED)
    this.fresh = false
    return { seq: this.#seq, arms }
  }

  /** The share of that number has been heard. */
  heard(seq: number): void {
    this.#heard = Math.max(this.#heard, Math.min(seq, this.#seq))
  }

  /**
   * Goes on as another place, with what was counted after the share `seq`: that one is counted as of a place that has gone. Where it is not
   * remembered, the next one that is stands for it: what came between is let go, so that nothing counts twice.
   */
  rename(seq: number): void {
    const at = [...this.#told.keys()].find((told) => told >= seq)
    const text = seq === 0 ? '[]' : (this.#told.get(at ?? 0) ?? JSON.stringify(writeArms(this.#arms)))
    const counted = readArms(JSON.parse(text) as WireArm[]) // what `writeArms` wrote
    for (const [arm, tally] of counted ?? []) this.#arms.get(arm)?.take(tally, -1)
    this.#told.clear()
    this.#seq = this.#heard = 0
    this.epoch = this.#name()
    this.fresh = true
  }
}
