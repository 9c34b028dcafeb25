import type { Forecast, GuardrailForecast } from '../../core/rollout/forecast.ts'
import type { Metric } from '../../core/statistics/guardrail.ts'
import { columns, paint } from '../output.ts'
import type { Planned } from './planned.ts'

/** What is told of a rollout. */
export interface Told extends Pick<Planned, 'route' | 'rule' | 'canary'>, Forecast {
  readonly alpha: number
  readonly power: number
  /** Requests a second, and who says so. */
  readonly rate?: number
  readonly rateFrom?: 'given' | 'observed'
}

/** A forecast for the eye. */
export function planTable(it: Told): string {
  const { rate, rateFrom } = it
  const pace =
    rate === undefined
      ? 'how long it takes is not known without the rate of requests: say it by --rate'
      : `at ${shown(rate)} requests a second (${rateFrom})`
  const head = ['STEP', 'WEIGHT', 'LASTS', 'GUARDRAIL', 'WORSE BY', 'FOUND AFTER (CANARY/STABLE)', 'TIME']
  const steps = it.steps.flatMap(({ weight, manual, lasts, found }, at) =>
    found.map((guardrail, i) => [
      ...(i === 0 ? [`${at + 1}${manual ? ' by hand' : ''}`, `${weight} %`, time(lasts)] : ['', '', '']),
      guardrail.metric,
      amount(guardrail.metric, guardrail.worse),
      ...needed(guardrail),
    ]),
  )
  const proof = it.promotion.map((guardrail) => [
    guardrail.metric,
    amount(guardrail.metric, guardrail.margin),
    ...needed(guardrail),
  ])
  return [
    `${paint('bold', `${it.route}, rule ${it.rule}`)}: canary ${it.canary}, ${pace}\n`,
    `Harm is found with a chance of ${percent(it.power)}; a harmless canary is rolled back with one of ${percent(it.alpha)} at most.\n\n`,
    columns([head, ...steps]),
    `\nTo be promoted, a canary that is as good needs in the last step, with the same chance:\n\n`,
    columns([['GUARDRAIL', 'MARGIN', 'REQUESTS (CANARY/STABLE)', 'TIME'], ...proof]),
    ...(it.lasts === undefined ? [] : [`\nAll in all a good canary takes ${time(it.lasts)} at least.\n`]),
    `\nTaken for usual: ${it.promotion.map(({ metric, usual }) => `${metric} ${shown(usual)}`).join(', ')} (see --usual).\n`,
  ].join('')
}

function needed({ canary, stable, seconds }: GuardrailForecast): readonly string[] {
  return canary === undefined ? ['never', ''] : [`${canary}/${stable}`, time(seconds)]
}

/** As a margin is said: shares and quality in points, the others as a part. */
function amount(metric: Metric, size: number): string {
  if (metric === 'Latency' || metric === 'FirstToken' || metric === 'Cost') return percent(size)
  const points = shown(100 * size)
  return `${points} ${points === '1' ? 'point' : 'points'}`
}

const percent = (share: number): string => `${shown(100 * share)} %`
const shown = (value: number): string => String(Number(value.toPrecision(3)))

function time(seconds: number | undefined): string {
  if (seconds === undefined) return '-'
  const minutes = Math.ceil(seconds / 60)
  if (seconds < 120) return `${Math.ceil(seconds)}s`
  if (minutes < 120) return `${minutes}m`
  const hours = Math.ceil(seconds / 3600)
  return hours < 72 ? `${Math.floor(minutes / 60)}h${minutes % 60}m` : `${Math.ceil(hours / 24)}d`
}
