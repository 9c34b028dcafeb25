import { document, escaped, table, tiles } from '../report/page.ts'
import type { Figures } from './figures.ts'
import { plane, sharesChart } from './plane.ts'
import { interval, money, said, share } from './table.ts'

/** The report as one HTML page: nothing is fetched, for light and dark. */
export function reportPage(figures: Figures, directory: string, data: string): string {
  const { rows, seed, policies, tasks, weakest, strongest } = figures
  const route = policies.find(({ name }) => name === 'the route')
  const first: readonly (readonly [string, string])[] = route
    ? [
        ['of the strongest’s quality', interval(route.retained)],
        ['of its cost saved', interval(route.saved)],
        ['saved by random mixing of the same quality', route.mixing ? interval(route.mixing) : '–'],
        ['saved by the oracle', share(policies.at(-1)?.saved.value ?? Number.NaN)],
      ]
    : []
  const body = [
    `<h1>${escaped(directory)}</h1>`,
    `<p>${rows} requests of ${escaped(data)}, played through the route by the sidecar’s own code; seed ${seed}. The strongest is <b>${escaped(strongest)}</b>, the weakest <b>${escaped(weakest)}</b>. In brackets: 95 % intervals by bootstrap over requests.</p>`,
    tiles(first),
    `<h2>Quality and cost</h2><figure class="plane">${plane(figures)}<figcaption>The dashed line is what mixing the weakest and the strongest by lot comes to: a route that is not above it is worth nothing.</figcaption></figure>`,
    table(
      [
        'answered by',
        'quality',
        'of the strongest',
        'USD/1000',
        'saved',
        'random mixing as good',
        'escalated',
        'ms p50/p95',
      ],
      policies.map((it) => [
        it.name,
        interval(it.quality),
        interval(it.retained),
        money(it.cost.value),
        interval(it.saved),
        it.mixing ? interval(it.mixing) : '',
        it.escalated ? interval(it.escalated) : '',
        it.ms ? `${Math.round(it.ms.p50)} / ${Math.round(it.ms.p95)}` : '',
      ]),
    ),
    `<h2>Who answered, and why</h2><figure class="plane">${sharesChart(policies)}</figure>`,
    table(
      ['', 'because'],
      policies.flatMap(({ name, reasons }) => (reasons ? [[name, said(reasons)]] : [])),
    ),
    '<h2>The cheapest model that clears the bar, for each task</h2>',
    '<p>Of those whose mean quality is above the bar for sure, by the lower end of its interval.</p>',
    table(
      ['task', 'requests', 'bar', 'cheapest', 'quality and USD/1000 of each'],
      tasks.map((it) => [
        it.task,
        `${it.rows}`,
        share(it.bar),
        it.cheapest ?? 'none for sure',
        it.models.map(({ target, quality, cost }) => `${target}: ${interval(quality)}, ${money(cost)}`).join('; '),
      ]),
    ),
  ]
  return document(`${directory}: simulated`, body)
}
