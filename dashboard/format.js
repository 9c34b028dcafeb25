/** What stands where nothing is known. */
export const NONE = '–'

/** @typedef {number | null | undefined} Maybe */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const two = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const dollars = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** @param {number} value */
export const count = (value) => whole.format(value)

/**
 * Requests a second.
 * @param {Maybe} value
 */
export function perSecond(value) {
  if (value === null || value === undefined) return NONE
  return value === 0 ? '0' : value < 10 ? two.format(value) : value < 100 ? one.format(value) : whole.format(value)
}

/**
 * A part of a whole, 0…1, as percent.
 * @param {Maybe} value
 */
export function percent(value) {
  if (value === null || value === undefined) return NONE
  const hundred = value * 100
  return `${hundred !== 0 && Math.abs(hundred) < 1 ? two.format(hundred) : one.format(hundred)} %`
}

/** @param {Maybe} value */
export function milliseconds(value) {
  if (value === null || value === undefined) return NONE
  if (value < 1000) return `${value < 10 ? one.format(value) : whole.format(value)} ms`
  return `${value < 100_000 ? two.format(value / 1000) : whole.format(value / 1000)} s`
}

/**
 * USD.
 * @param {Maybe} value
 */
export function usd(value) {
  if (value === null || value === undefined) return NONE
  if (value === 0) return '$0'
  if (value < 0.01) return `$${Number(value.toPrecision(2))}`
  return `$${value < 1000 ? dollars.format(value) : whole.format(value)}`
}

/**
 * How long ago, from milliseconds.
 * @param {number} ms
 */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 2) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  return `${span(ms)} ago`
}

/**
 * A length of time, from milliseconds, to two units.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600)
    return `${Math.floor(seconds / 60)} min${seconds < 600 && seconds % 60 ? ` ${seconds % 60} s` : ''}`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

/**
 * A number with its sign, of three figures.
 * @param {number} value
 */
export const signed = (value) => `${value > 0 ? '+' : ''}${Number(value.toPrecision(3))}`

/**
 * Evidence, which spans many powers of ten.
 * @param {number} value
 */
export function evidence(value) {
  if (!Number.isFinite(value)) return '∞'
  if (value === 0) return '0'
  return value >= 1000 || value < 0.01
    ? value.toExponential(1).replace('e+', 'e')
    : String(Number(value.toPrecision(3)))
}

/**
 * One of several, or more.
 * @param {number} many
 * @param {string} noun
 */
export const counted = (many, noun) => `${count(many)} ${noun}${many === 1 ? '' : 's'}`
