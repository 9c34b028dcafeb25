import { NONE, milliseconds, percent, usd } from './format.js'

/** A metric's name, as words. @param {string} metric */
export const words = (metric) =>
  metric.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').replace(/ ([A-Z])/g, (_, letter) => ` ${letter.toLowerCase()}`)

/**
 * What was measured, in its unit.
 * @param {string} metric
 * @param {string | undefined} value
 */
export function measured(metric, value) {
  if (value === undefined) return NONE
  const number = Number(value)
  if (metric === 'Latency' || metric === 'FirstToken') return milliseconds(number)
  if (metric === 'Cost') return usd(number)
  return metric === 'Quality' ? String(Number(number.toPrecision(3))) : percent(number)
}
