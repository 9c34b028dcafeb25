import type { Estimate } from '../../core/evaluation/off-policy.ts'
import { columns } from '../output.ts'
import type { Figures, PolicyFigures } from './figures.ts'

/** A share as a percentage. */
export const share = (value: number): string => `${(100 * value).toFixed(1)} %`
/** A share with its interval. */
export const interval = ({ value, low, high }: Estimate): string =>
  `${share(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`
/** Four digits are enough. */
export const money = (value: number): string => value.toPrecision(4)

/** The figures for the eye, with their 95 % intervals. */
export function table({ rows, seed, weakest, strongest, policies, tasks }: Figures): string {
  const lines = policies.flatMap((it) => [policyRow(it), ...mixingRow(it)])
  const routes = policies.filter(({ shares }) => shares)
  return [
    `${rows} requests, seed ${seed}; the strongest is ${strongest}, the weakest ${weakest}. In brackets: 95 % by bootstrap.\n\n`,
    columns([['ANSWERED BY', 'QUALITY', 'OF STRONGEST', 'USD/1000', 'SAVED', 'ESCALATED', 'MS P50/P95'], ...lines]),
    '\n',
    ...routes.flatMap(({ name, shares = {}, reasons = {} }) => [
      `${name}: ${said(shares)}; because ${said(reasons)}.\n`,
    ]),
    '\nThe cheapest model that clears the bar, for each task:\n',
    columns([
      ['TASK', 'ROWS', 'BAR', 'CHEAPEST', 'QUALITY OF EACH'],
      ...tasks.map((it) => [
        it.task,
        `${it.rows}`,
        share(it.bar),
        it.cheapest ?? 'none for sure',
        it.models.map(({ target, quality }) => `${target} ${interval(quality)}`).join(', '),
      ]),
    ]),
  ].join('')
}

function policyRow({ name, quality, retained, cost, saved, escalated, ms }: PolicyFigures): readonly string[] {
  return [
    name,
    interval(quality),
    interval(retained),
    money(cost.value),
    interval(saved),
    escalated ? interval(escalated) : '',
    ms ? `${Math.round(ms.p50)}/${Math.round(ms.p95)}` : '',
  ]
}

/** Beside each route: what mixing by lot saves at the same quality. */
const mixingRow = ({ name, quality, retained, mixing }: PolicyFigures): readonly (readonly string[])[] =>
  mixing
    ? [
        [
          `  random mixing, as good as ${name}`,
          share(quality.value),
          share(retained.value),
          '',
          interval(mixing),
          '',
          '',
        ],
      ]
    : []

/** Each with its part. */
export const said = (parts: Readonly<Record<string, number>>): string =>
  Object.entries(parts)
    .map(([word, part]) => `${word} ${share(part)}`)
    .join(', ')
