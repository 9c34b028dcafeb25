import { evidence, percent, signed } from './format.js'
import { h, svg } from './dom.js'

/**
 * A line of what was, the newest at the right; decoration beside figures that say the same.
 * @param {readonly number[]} values
 * @param {{ width?: number, height?: number }} [size]
 */
export function sparkline(values, { width = 96, height = 24 } = {}) {
  const most = Math.max(...values, 1e-9)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map(
    (value, at) => `${(at * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`,
  )
  return svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...(points.length > 1
      ? [
          svg('path', { class: 'area', d: `M0,${height} L${points.join(' L')} L${width},${height} Z` }),
          svg('path', { class: 'line', d: `M${points.join(' L')}` }),
        ]
      : []),
  )
}

/**
 * Two bars, one above the other: what a target is to get, and what it got.
 * @param {number | null} configured
 * @param {number | null} observed
 */
export function shares(configured, observed) {
  const bar = (/** @type {string} */ kind, /** @type {number | null} */ value) =>
    h(
      'span',
      { class: `bar-line ${kind}` },
      h('span', { class: 'bar-fill', style: { width: `${(value ?? 0) * 100}%` } }),
    )
  return h('span', { class: 'shares', 'aria-hidden': 'true' }, bar('configured', configured), bar('observed', observed))
}

/** Powers of ten at either end of the scale of evidence. */
const LEAST = -2

/**
 * The evidence of a guardrail against what it needs, on a logarithmic scale: 1 says nothing.
 * @param {number} value
 * @param {number} needs
 */
export function evidenceBar(value, needs) {
  const most = Math.log10(needs) + 0.5
  const place = (/** @type {number} */ x) =>
    (100 * (Math.min(most, Math.max(LEAST, Math.log10(x))) - LEAST)) / (most - LEAST)
  const level = value >= needs ? 'over' : Math.log10(value) > Math.log10(needs) / 2 ? 'near' : 'calm'
  const [zero, now] = [place(1), place(Math.max(value, 1e-9))]
  return h(
    'span',
    {
      class: `evidence ${level}`,
      role: 'img',
      'aria-label': `E-value ${evidence(value)}; ${evidence(needs)} rolls back`,
    },
    h('span', {
      class: 'evidence-fill',
      style: { left: `${Math.min(zero, now)}%`, width: `${Math.abs(now - zero)}%` },
    }),
    h('span', { class: 'evidence-one', style: { left: `${zero}%` } }),
    h('span', { class: 'evidence-needs', style: { left: `${place(needs)}%` } }),
  )
}

/**
 * The interval of a difference, with no difference in the middle and the margin beyond which it is harm.
 * @param {number | undefined} lower
 * @param {number | undefined} upper
 * @param {number} margin
 * @param {boolean} downward whether less is worse
 */
export function interval(lower, upper, margin, downward) {
  const reach = margin * 3
  const place = (/** @type {number} */ x) => 50 + 50 * Math.max(-1, Math.min(1, (downward ? -x : x) / reach))
  const known = lower !== undefined && upper !== undefined
  const [from, to] = known ? [place(lower), place(upper)].sort((a, b) => a - b) : [50, 50]
  const label = known ? `between ${signed(lower)} and ${signed(upper)}, margin ${percent(margin)}` : 'not known yet'
  return h(
    'span',
    { class: 'interval', role: 'img', 'aria-label': `Difference: ${label}` },
    h('span', { class: 'interval-harm', style: { left: `${place(downward ? -margin : margin)}%` } }),
    h('span', { class: 'interval-none' }),
    known &&
      h('span', {
        class: 'interval-range',
        style: { left: `${from}%`, width: `${Math.max(1, (to ?? 50) - (from ?? 50))}%` },
      }),
  )
}

/**
 * The steps of a rollout: those behind it, the one it is at, those that come.
 * @param {{ step: number, steps: number, phase: string, weight: number }} rollout
 */
export function stepBar({ step, steps, phase, weight }) {
  const back = phase === 'RolledBack' || phase === 'RollingBack'
  const state = (/** @type {number} */ at) =>
    phase === 'Promoted' || at < step ? 'done' : at === step && phase !== 'Pending' ? (back ? 'failed' : 'now') : 'next'
  return h(
    'span',
    { class: 'steps', role: 'img', 'aria-label': `Step ${step + 1} of ${steps}, ${weight} % of requests` },
    ...Array.from({ length: steps }, (_, at) => h('span', { class: `step ${state(at)}` })),
  )
}
