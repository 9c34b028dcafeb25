import type { Reading } from '../statistics/guardrail.ts'

/** A whole percentage where it is one, else one that is short. */
export const percent = (part: number): string => `${Number((100 * part).toPrecision(3))} %`

/** What a guardrail has found, for people: counts, means, the interval of how much worse the canary is, and the E-value. */
function found({ metric, canary, stable, lower, upper, n, evidence, needs }: Reading): string {
  const unit = UNITS[metric]
  const value = (of: number | undefined) => (of === undefined ? 'nothing yet' : unit.mean(of))
  const bounds =
    lower === undefined && upper === undefined
      ? ''
      : `, a difference from ${lower === undefined ? '?' : unit.difference(lower)} to ${upper === undefined ? '?' : unit.difference(upper)}`
  return `${metric} ${value(canary)} of ${n.canary} against ${value(stable)} of ${n.stable}${bounds}; E-value ${short(evidence)} of ${short(needs)}`
}

/** All of them, in one line. */
export const evidenceOf = (readings: readonly Reading[]): string => readings.map(found).join('. ')

/** A number for people and programs: four digits. */
export const short = (value: number): string => String(Number(value.toPrecision(4)))

const signed = (text: (value: number) => string) => (value: number) =>
  `${value < 0 ? '−' : '+'}${text(Math.abs(value))}`
const points = signed((value) => `${short(100 * value)} points`)
const relative = signed(percent)
const ms = (value: number) => `${short(value)} ms`

const share = { mean: percent, difference: points }
const tail = { mean: (value: number) => `p95 ${ms(value)}`, difference: relative }

const UNITS: Readonly<
  Record<Reading['metric'], { mean: (value: number) => string; difference: (value: number) => string }>
> = {
  ErrorRate: share,
  Truncations: share,
  Refusals: share,
  Escalations: share,
  Latency: tail,
  FirstToken: tail,
  Cost: { mean: (value) => `${short(value)} USD`, difference: relative },
  Quality: { mean: short, difference: signed(short) },
}
