import { difference, spelled } from '../../core/experiment/words.ts'
import type { ExperimentView } from '../../operator/experiments.ts'
import { columns, paint } from '../output.ts'

type Metric = ExperimentView['metrics'][number]

const COLOURS = { Running: 'bold', Blocked: 'red', Decided: 'green' } as const satisfies Record<
  ExperimentView['phase'],
  string
>
const VERDICTS = { Better: 'green', Worse: 'red', Open: 'dim', Unknown: 'dim' } as const satisfies Record<
  Metric['verdict'],
  string
>

/** A line for each experiment. */
export function list(experiments: readonly ExperimentView[]): string {
  if (experiments.length === 0) return 'No rule has an experiment here.\n'
  const head = ['ROUTE', 'RULE', 'EXPERIMENT', 'PHASE', 'REASON', 'REQUESTS', 'PRIMARY']
  const rows = experiments.map((it) => [
    it.route,
    it.rule,
    it.name,
    it.decision === undefined ? it.phase : `${it.decision} ${it.winner}`,
    it.reason,
    it.arms.map(({ requests }) => requests).join('/'),
    it.metrics
      .filter(({ primary }) => primary)
      .map((metric) => `${metric.metric} ${metric.arm} ${interval(metric)}`)
      .join(', ') || '-',
  ])
  return columns([head, ...rows])
}

/** All of one experiment, for the eye. */
export function details(it: ExperimentView): string {
  const decided = it.decision === undefined ? '' : `: ${it.decision}, ${it.winner}`
  const lines = [
    ['phase', `${paint(COLOURS[it.phase], `${it.phase}${decided}`)}, ${it.reason} since ${it.since}`],
    ['', it.message],
    ['arms', it.arms.map(({ name, target, requests }) => `${name} (${target}) ${requests}`).join(', ')],
    ['ratio', `E-value ${it.ratio ?? '-'} against requests falling to the arms by their weights`],
  ].map(([name = '', value = '']) => `  ${paint('dim', name.padEnd(8))}${value}\n`)
  const head = ['METRIC', 'ARM', 'VALUE', 'CONTROL', 'DIFFERENCE', 'INTERVAL', 'E-VALUE', 'VERDICT']
  const rows = it.metrics.map((metric) => [
    `${metric.metric}${metric.primary ? '*' : ''}`,
    metric.arm,
    shown(metric.value),
    shown(metric.control),
    metric.estimate === undefined ? '-' : difference(Number(metric.estimate), metric.metric),
    interval(metric),
    shown(metric.evidence),
    paint(VERDICTS[metric.verdict], metric.verdict),
  ])
  const table = rows.length > 0 ? `\n${columns([head, ...rows])}  * decides\n` : ''
  return `${paint('bold', `${it.route}, rule ${it.rule}: ${it.name}`)}\n${lines.join('')}${table}`
}

function interval({ metric, lower, upper }: Metric): string {
  if (lower === undefined) return '-'
  return `${difference(Number(lower), metric)} … ${difference(Number(upper ?? Infinity), metric)}`
}

const shown = (text: string | undefined): string => (text === undefined ? '-' : spelled(Number(text)))
