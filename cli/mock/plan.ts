import { type Fault, parseFault } from './faults.ts'
import { spread } from './pace.ts'
import type { MockProvider } from './providers/provider.ts'

interface Standing {
  readonly fault: Fault
  seen: number
  struck: number
}

/** The faults that stand at a mock, and whom each strikes next. */
export class Plan {
  private standing: Standing[] = []
  private readonly name: string
  private readonly provider: MockProvider

  constructor(name: string, provider: MockProvider) {
    this.name = name
    this.provider = provider
  }

  /** Replaces the faults; throws where one cannot be read, and then leaves those that stood. */
  set(texts: readonly string[]): void {
    this.standing = texts.map((text) => ({ fault: parseFault(text, this.provider), seen: 0, struck: 0 }))
  }

  list(): { readonly fault: string; readonly seen: number; readonly struck: number }[] {
    return this.standing.map(({ fault, seen, struck }) => ({ fault: fault.text, seen, struck }))
  }

  /** The fault that keeps the mock from listening at all: a `refuse` without a share or a number. */
  get refusal(): Fault | undefined {
    return this.standing.find(
      ({ fault }) => fault.name === 'refuse' && fault.percent === 100 && fault.times === Infinity,
    )?.fault
  }

  /** True where this connection is to be reset as it comes: a `refuse` with a share or a number. */
  refusesConnection(): boolean {
    return this.standing.some((it) => it.fault.name === 'refuse' && strikes(it))
  }

  /** The fault for a request: the one of its header, else the first standing one that strikes. Throws for a header that cannot be read. */
  for(path: string, model: string | undefined, header: string | undefined): Fault | undefined {
    const fits = (fault: Fault): boolean =>
      (fault.path ?? path) === path &&
      (fault.model === undefined || fault.model === model) &&
      (fault.on ?? this.name) === this.name
    const asked = header === undefined ? undefined : parseFault(header, this.provider)
    if (asked && fits(asked)) return asked
    return this.standing.find((it) => it.fault.name !== 'refuse' && fits(it.fault) && strikes(it))?.fault
  }
}

function strikes(it: Standing): boolean {
  it.seen += 1
  if (it.struck >= it.fault.times || spread(it.seen) * 100 >= it.fault.percent) return false
  it.struck += 1
  return true
}
