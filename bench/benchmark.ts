import type { Lab } from './lab.ts'

/** One figure of one system over the rounds of a run. */
export interface Series {
  /** What was done: sizes, connections, rates. */
  readonly work: string
  /** Named once and for all: figures are compared by it between runs. */
  readonly metric: string
  readonly unit: string
  readonly system: string
  /** One value for each round. */
  readonly values: readonly number[]
}

/** A benchmark: one file here, and one line in `index.ts`. */
export interface Benchmark {
  readonly name: string
  readonly about: string
  /** Systems that cannot do this work. */
  readonly without?: readonly string[]
  readonly run: (lab: Lab) => Promise<readonly Series[]>
}

/** Collects values round by round and returns them as series. */
export class Notes {
  private readonly series = new Map<string, Series & { readonly values: number[] }>()
  private readonly work: string

  constructor(work: string) {
    this.work = work
  }

  add(system: string, metric: string, unit: string, value: number): void {
    const key = `${system} ${metric}`
    const found = this.series.get(key) ?? { work: this.work, system, metric, unit, values: [] }
    found.values.push(value)
    this.series.set(key, found)
  }

  list(): readonly Series[] {
    return [...this.series.values()]
  }
}
