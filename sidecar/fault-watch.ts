import type { CompiledConfig } from '../api/compiled.ts'
import { describeFault } from '../core/faults/describe.ts'
import { inForce, LONGEST } from '../core/faults/fault.ts'
import type { FaultType } from '../core/faults/fault.ts'

/** A timer of node's takes no more, ms; and a clock that was set is seen by then. */
const LONGEST_SLEEP = 60_000

/** A fault of a configuration, for people. */
export interface WatchedFault {
  readonly route: string
  readonly rule: string
  readonly type: FaultType
  readonly said: string
  /** ms since the epoch. */
  readonly until: number
}

/** All faults of a configuration, those that are not in force now too. Looks at every rule at each edit, and so makes nothing for those without. */
export function faultsOf(config: CompiledConfig): readonly WatchedFault[] {
  const found: WatchedFault[] = []
  for (const { body } of config.values()) {
    if (!('rules' in body)) continue
    for (const { name: rule, faults } of body.rules)
      for (const fault of faults ?? NONE) {
        const { type, until } = fault
        found.push({ route: body.name, rule, type, said: describeFault(fault), until })
      }
  }
  return found
}

const NONE: readonly never[] = []

/** Says of each fault when it begins and when it ends, by the sidecar's own clock or since the configuration is another. */
export class FaultWatch {
  private readonly wall: () => number
  private readonly said: (begun: boolean, fault: WatchedFault) => void
  private faults: readonly WatchedFault[] = []
  /** Those in force, by what they are. */
  private active = new Map<string, WatchedFault>()
  private timer: NodeJS.Timeout | undefined

  constructor(wall: () => number, said: (begun: boolean, fault: WatchedFault) => void) {
    this.wall = wall
    this.said = said
  }

  /** A configuration is in force. */
  update(config: CompiledConfig): void {
    this.faults = faultsOf(config)
    this.look()
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private look(): void {
    const now = this.wall()
    const before = this.active
    const active = this.faults.filter((fault) => inForce(fault, now))
    this.active = new Map(active.map((fault) => [`${fault.route} ${fault.rule} ${fault.said}`, fault]))
    for (const [key, fault] of this.active) if (!before.has(key)) this.said(true, fault)
    for (const [key, fault] of before) if (!this.active.has(key)) this.said(false, fault)
    clearTimeout(this.timer)
    const next = Math.min(...this.faults.flatMap(({ until }) => [until - LONGEST, until]).filter((time) => time > now))
    // With nothing to come there is nothing to wait for.
    if (!Number.isFinite(next)) return
    this.timer = setTimeout(() => this.look(), Math.min(LONGEST_SLEEP, next - now + 1))
    this.timer.unref()
  }
}
