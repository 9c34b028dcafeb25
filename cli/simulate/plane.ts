import type { Figures, PolicyFigures } from './figures.ts'
import { roundTicks } from '../report/axis.ts'
import { escaped } from '../report/page.ts'

const [WIDTH, HEIGHT] = [720, 400]
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 24, 20, 48]

/** Quality over cost: each way of answering with its intervals, and between weakest and strongest what mixing by lot comes to. */
export function plane({ policies }: Figures): string {
  const x = scale(
    policies.flatMap(({ cost }) => [0, cost.high]),
    [LEFT, WIDTH - RIGHT],
  )
  const y = scale(
    policies.flatMap(({ quality }) => [quality.low, quality.high]),
    [HEIGHT - BOTTOM, TOP],
  )
  const [strong, weak] = policies
  const line =
    strong && weak
      ? `<line class="mixing" x1="${x.at(weak.cost.value)}" y1="${y.at(weak.quality.value)}" x2="${x.at(strong.cost.value)}" y2="${y.at(strong.quality.value)}"/>`
      : ''
  const grid = [
    ...x.ticks.map(
      (tick) =>
        `<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${Number(tick.toPrecision(3))}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text x="${LEFT - 8}" y="${y.at(tick) + 4}" text-anchor="end">${Number((100 * tick).toFixed(1))} %</text>`,
    ),
  ].join('')
  const names = `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">USD for 1,000 requests</text><text x="14" y="${(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})">mean quality</text>`
  const placed = labels(policies, x.at, y.at)
  const dots = policies.map((policy, at) => dot(policy, x.at, y.at, placed[at] ?? 0))
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Quality over cost">${grid}${names}${line}${dots.join('')}</svg>`
}

function dot({ name, cost, quality, shares }: PolicyFigures, x: At, y: At, below: number): string {
  const [px, py] = [x(cost.value), y(quality.value)]
  const kind = shares ? 'route' : name === 'the oracle' ? 'best' : 'base'
  const end = px > (WIDTH * 2) / 3
  return (
    `<g class="${kind}"><line x1="${x(cost.low)}" x2="${x(cost.high)}" y1="${py}" y2="${py}"/><line x1="${px}" x2="${px}" y1="${y(quality.low)}" y2="${y(quality.high)}"/>` +
    `<circle cx="${px}" cy="${py}" r="5"><title>${escaped(name)}: ${(100 * quality.value).toFixed(1)} % at ${cost.value.toPrecision(4)} USD</title></circle>` +
    `<text x="${px + (end ? -10 : 10)}" y="${py + below}" text-anchor="${end ? 'end' : 'start'}">${escaped(name)}</text></g>`
  )
}

/** Where each name stands above or below its dot, so that those of neighbours do not cover each other. */
function labels(policies: readonly PolicyFigures[], x: At, y: At): readonly number[] {
  const taken: { readonly x: number; readonly y: number }[] = []
  return policies.map(({ cost, quality }) => {
    const [px, py] = [x(cost.value), y(quality.value)]
    const free =
      [-8, 18, -24, 34, 50].find((off) =>
        taken.every((it) => Math.abs(it.x - px) > 170 || Math.abs(it.y - py - off) > 14),
      ) ?? -8
    taken.push({ x: px, y: py + free })
    return free
  })
}

/** What part of requests each target answered, a bar for each way of answering. */
export function sharesChart(policies: readonly PolicyFigures[]): string {
  const routes = policies.filter(({ shares }) => shares)
  const targets = [...new Set(routes.flatMap(({ shares = {} }) => Object.keys(shares)))].toSorted()
  const height = 34 * routes.length + 6
  const bars = routes.map(({ name, shares = {} }, row) => {
    let from = 150
    const parts = targets.map((target, at) => {
      const width = (shares[target] ?? 0) * (WIDTH - 150)
      const part = `<rect class="part-${at % 6}" x="${from.toFixed(1)}" y="${row * 34 + 6}" width="${width.toFixed(1)}" height="24"><title>${escaped(target)}: ${(100 * (shares[target] ?? 0)).toFixed(1)} %</title></rect>`
      const words =
        width > 60
          ? `<text class="in" x="${(from + width / 2).toFixed(1)}" y="${row * 34 + 23}" text-anchor="middle">${(100 * (shares[target] ?? 0)).toFixed(0)} %</text>`
          : ''
      from += width
      return part + words
    })
    return `<text x="140" y="${row * 34 + 23}" text-anchor="end">${escaped(name)}</text>${parts.join('')}`
  })
  const keys = targets.map((target, at) => `<span><i class="part-${at % 6}"></i>${escaped(target)}</span>`).join('')
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Who answered">${bars.join('')}</svg><figcaption>${keys}</figcaption>`
}

type At = (value: number) => number

/** From values to places, with round ticks. */
function scale(
  values: readonly number[],
  [start, end]: readonly [number, number],
): { readonly at: At; readonly ticks: readonly number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const span = high - low || 1
  const [from, to] = [low === 0 ? 0 : low - 0.06 * span, high + 0.06 * span]
  return {
    at: (value) => Math.round((start + ((value - from) / (to - from)) * (end - start)) * 10) / 10,
    ticks: roundTicks(from, to),
  }
}
