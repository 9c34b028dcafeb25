import { escaped } from '../train/charts.ts'
import type { Figures } from './figures.ts'
import { plane, sharesChart } from './plane.ts'
import { interval, money, said, share } from './table.ts'

/** The report as one HTML page: nothing is fetched, for light and dark. */
export function reportPage(figures: Figures, directory: string, data: string): string {
  const { rows, seed, policies, tasks, weakest, strongest } = figures
  const route = policies.find(({ name }) => name === 'the route')
  const tiles: readonly (readonly [string, string])[] = route
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
    `<div class="tiles">${tiles.map(([what, value]) => `<div><b>${escaped(value)}</b><span>${escaped(what)}</span></div>`).join('')}</div>`,
    `<h2>Quality and cost</h2><figure>${plane(figures)}<figcaption>The dashed line is what mixing the weakest and the strongest by lot comes to: a route that is not above it is worth nothing.</figcaption></figure>`,
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
    `<h2>Who answered, and why</h2><figure>${sharesChart(policies)}</figure>`,
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
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(directory)}: simulated</title><style>${STYLE}</style></head><body>
${body.join('\n')}
</body></html>
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="wide"><table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee3;--ground:#fff;--card:#f4f6f8;--main:#0b62c4;--other:#76808a;--best:#1a7f4b}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebef;--soft:#9da8b3;--line:#343c45;--ground:#14181d;--card:#1d232a;--main:#6cb1ff;--other:#98a2ac;--best:#5fd29a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{margin:0 0 .5rem;overflow-wrap:anywhere}h2{margin:2rem 0 .5rem;font-size:1.2rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:.75rem;margin:1rem 0}
.tiles div{background:var(--card);border-radius:.5rem;padding:.75rem 1rem}.tiles b{display:block;font-size:1.05rem;white-space:nowrap}.tiles span{color:var(--soft);font-size:.875rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:600}
figure{margin:1rem 0;background:var(--card);border-radius:.5rem;padding:.75rem}figure>svg{width:100%;height:auto;display:block}
figcaption{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;color:var(--soft);font-size:.875rem;margin-top:.5rem}figcaption i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem}
svg text{fill:var(--soft);font-size:12px}svg text.in{fill:#fff;font-weight:600}.grid{stroke:var(--line)}.mixing{stroke:var(--other);stroke-width:2;stroke-dasharray:5 4}
g.route{stroke:var(--main);fill:var(--main)}g.base{stroke:var(--other);fill:var(--other)}g.best{stroke:var(--best);fill:var(--best)}g text{stroke:var(--card);stroke-width:4px;paint-order:stroke;fill:inherit}g.route text{font-weight:600}
.part-0{fill:#0b62c4;background:#0b62c4}.part-1{fill:#b4501e;background:#b4501e}.part-2{fill:#1a7f4b;background:#1a7f4b}.part-3{fill:#8442b5;background:#8442b5}.part-4{fill:#8a6a00;background:#8a6a00}.part-5{fill:#b02a5b;background:#b02a5b}
`
