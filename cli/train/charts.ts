import type { Bin } from '../../core/learning/calibrate.ts'
import { roundTicks } from '../report/axis.ts'
import { escaped } from '../report/page.ts'
import type { Judgement } from './judge.ts'

const WIDTH = 640
const HEIGHT = 380
const LEFT = 72
const BOTTOM = 46
const TOP = 14
const RIGHT = 32

/** An axis: what it shows from where to where, its ticks, and its name. */
interface Axis {
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
  readonly name: string
}

const percent = (value: number): string => `${Number((100 * value).toFixed(1))} %`

/** Round ticks, five or so. */
function axis(from: number, to: number, name: string): Axis {
  const ticks = roundTicks(from, to)
  return { from, to, ticks, name }
}

interface Frame {
  readonly at: (x: number, y: number) => string
  readonly svg: string
}

function frame(x: Axis, y: Axis): Frame {
  const px = (value: number): number => LEFT + ((value - x.from) / (x.to - x.from || 1)) * (WIDTH - LEFT - RIGHT)
  const py = (value: number): number =>
    HEIGHT - BOTTOM - ((value - y.from) / (y.to - y.from || 1)) * (HEIGHT - BOTTOM - TOP)
  const parts = [
    ...x.ticks.map(
      (tick) =>
        `<line class="grid" x1="${px(tick).toFixed(1)}" x2="${px(tick).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
        `<text x="${px(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${percent(tick)}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(tick).toFixed(1)}" y2="${py(tick).toFixed(1)}"/>` +
        `<text x="${LEFT - 8}" y="${(py(tick) + 4).toFixed(1)}" text-anchor="end">${percent(tick)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x.name)}</text>`,
    `<text x="14" y="${(HEIGHT - BOTTOM + TOP) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(HEIGHT - BOTTOM + TOP) / 2})">${escaped(y.name)}</text>`,
  ]
  return { at: (a, b) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`, svg: parts.join('') }
}

function drawing(title: string, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${body}</svg>`
}

/** Mean quality over cost: the router's curve, mixing by lot, the oracle, and each model alone. */
export function costChart({ router, mixing, oracle, single, strong }: Judgement): string {
  const unit = single.find(({ model }) => model === strong)?.cost ?? 1
  const all = [...router, ...mixing, ...oracle, ...single]
  const qualities = all.map(({ quality }) => quality)
  const [low, high] = [Math.min(...qualities), Math.max(...qualities)]
  const margin = Math.max(0.01, 0.05 * (high - low))
  const { at, svg } = frame(
    axis(0, Math.max(1, ...all.map(({ cost }) => cost / unit)), `cost of a request, ${strong} = 100 %`),
    axis(Math.max(0, low - margin), Math.min(1, high + margin), 'mean quality'),
  )
  const line = (name: string, points: Judgement['router']): string =>
    `<polyline class="${name}" points="${points.map(({ cost, quality }) => at(cost / unit, quality)).join(' ')}"/>`
  const dots = single.map(({ model, cost, quality }) => {
    const [x = '0', y = '0'] = at(cost / unit, quality).split(',')
    const end = Number(x) > WIDTH / 2
    return (
      `<circle class="model" cx="${x}" cy="${y}" r="4"><title>${escaped(model)}: ${percent(quality)} at ${percent(cost / unit)} of the cost</title></circle>` +
      `<text x="${Number(x) + (end ? -8 : 8)}" y="${Number(y) + (end ? -9 : 17)}" text-anchor="${end ? 'end' : 'start'}">${escaped(model)}</text>`
    )
  })
  return drawing(
    'quality over cost',
    svg + line('oracle', oracle) + line('mixing', mixing) + line('router', router) + dots.join(''),
  )
}

/** Observed over predicted share of acceptable answers, a dot per tenth of the rows. */
export function calibrationChart(model: string, bins: readonly Bin[]): string {
  const { at, svg } = frame(axis(0, 1, 'predicted to be acceptable'), axis(0, 1, 'acceptable'))
  const dots = bins.map(({ predicted, observed, count }) => {
    const [x, y] = at(predicted, observed).split(',')
    return `<circle class="model" cx="${x}" cy="${y}" r="4"><title>${percent(observed)} of ${count} rows predicted ${percent(predicted)}</title></circle>`
  })
  const line = bins.map(({ predicted, observed }) => at(predicted, observed)).join(' ')
  return drawing(
    `calibration of ${model}`,
    `${svg}<polyline class="mixing" points="${at(0, 0)} ${at(1, 1)}"/><polyline class="router" points="${line}"/>${dots.join('')}`,
  )
}
