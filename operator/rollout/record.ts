import type { RolloutStatus } from '../../api/rollout.ts'
import { PHASES, versionOf } from '../../core/rollout/state.ts'
import type { State } from '../../core/rollout/state.ts'
import { short } from '../../core/rollout/words.ts'

/** What is written down of a route's rollouts. */
export interface Record {
  /** Rises by one with each writing, each of which has seen the one before. */
  readonly seq: number
  readonly states: ReadonlyMap<string, State>
}

export const NO_RECORD: Record = { seq: 0, states: new Map() }

/** What a rollout's item of a status remembers. */
interface Memory {
  readonly seq: number
  readonly state: State
}

/** Reads what a status has of rollouts, whoever wrote it: what is not ours is as if it were not there. */
export function recordOf(status: unknown): Record {
  const { rollouts } = Object(status) as { rollouts?: readonly { readonly rule: string; readonly memory?: string }[] } // the CRD's schema has checked it
  let record = NO_RECORD
  for (const { rule, memory } of rollouts ?? []) {
    const read = memory === undefined ? undefined : memoryOf(memory)
    if (!read) continue
    record = { seq: Math.max(record.seq, read.seq), states: new Map(record.states).set(rule, read.state) }
  }
  return record
}

function memoryOf(text: string): Memory | undefined {
  try {
    const memory: unknown = JSON.parse(text)
    const { seq, state } = Object(memory) as Partial<Memory> // checked below
    const good = Number.isSafeInteger(seq) && PHASES.some((phase) => phase === state?.phase)
    return good ? (memory as Memory) : undefined // of a version's own form, which only the operator writes
  } catch {
    return undefined
  }
}

const time = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** A rollout as its status has it, for people and programs, without what the operator remembers. */
export function itemOf(rule: string, state: State, called: string, steps: number): Omit<RolloutStatus, 'memory'> {
  const { phase, reason, message, step, started, since, stepSince, by, waitsFor, waiting, seen } = state
  return {
    rule,
    phase,
    reason,
    message: message.slice(0, 4096),
    canary: called,
    version: versionOf(state),
    step,
    steps,
    weight: Math.round(state.weight),
    ...(started === undefined ? {} : { started: time(started) }),
    since: time(since),
    stepSince: time(stepSince),
    ...(by === undefined ? {} : { by: by.slice(0, 256) }),
    ...(waitsFor.length > 0 ? { waitsFor } : {}),
    waiting,
    samples: seen,
    harmed: state.harmedBefore + state.harmed,
    guardrails: state.readings.map(({ metric, margin, evidence, needs, canary, stable, lower, upper, n }) => ({
      metric,
      margin: short(margin),
      evidence: short(evidence),
      needs: short(needs),
      ...(canary === undefined ? {} : { canary: short(canary) }),
      ...(stable === undefined ? {} : { stable: short(stable) }),
      ...(lower === undefined ? {} : { lower: short(lower) }),
      ...(upper === undefined ? {} : { upper: short(upper) }),
      counts: n,
    })),
  }
}

/** The same with what is gone on from. */
export function writtenItem(item: Omit<RolloutStatus, 'memory'>, seq: number, state: State): RolloutStatus {
  return { ...item, memory: JSON.stringify({ seq, state } satisfies Memory) }
}
