/** Text as it may stand in markup. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A table; each cell is text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${whole(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="wide"><table><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`
}

/** Text whose figures and intervals stay on one line. */
const whole = (text: string): string => escaped(text).replaceAll(' %', '&nbsp;%').replaceAll('–', '&#8288;–&#8288;')

/** Figures that are to be seen first, each with what it is. */
export function tiles(figures: readonly (readonly [what: string, value: string])[]): string {
  return `<div class="tiles">${figures.map(([what, value]) => `<div><b>${whole(value)}</b><span>${escaped(what)}</span></div>`).join('')}</div>`
}

/** A page with nothing fetched, for light and dark. Parts that are empty are left out. */
export function document(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}</style></head><body>
${parts.filter((part) => part !== '').join('\n')}
</body></html>
`
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee3;--ground:#fff;--card:#f4f6f8;--main:#0b62c4;--other:#8a949e;--best:#1a7f4b;--warn:#8a5300}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebef;--soft:#9da8b3;--line:#343c45;--ground:#14181d;--card:#1d232a;--main:#6cb1ff;--other:#8a949e;--best:#5fd29a;--warn:#f0b659}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin:0 0 .5rem;overflow-wrap:anywhere}h2{margin:2rem 0 .5rem;font-size:1.2rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;margin:1rem 0}
.tiles div{background:var(--card);border-radius:.5rem;padding:.75rem 1rem}.tiles b{display:block;font-size:1.35rem}.tiles span{color:var(--soft);font-size:.875rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.925rem}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}
figure{margin:1rem 0}figcaption{display:flex;flex-wrap:wrap;gap:1.25rem;color:var(--soft);font-size:.875rem}figure>svg{width:100%;height:auto;background:var(--card);border-radius:.5rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}.key{width:24px;height:8px;margin-right:.4rem}
svg text{fill:var(--soft);font-size:12px}.charts svg text{font-size:16px}.grid{stroke:var(--line)}polyline,.key line{fill:none;stroke-width:2}
.router{stroke:var(--main)}.mixing{stroke:var(--other);stroke-dasharray:5 4}.oracle{stroke:var(--best)}circle.model{fill:var(--main)}
.note{color:var(--soft);font-size:.875rem}.warn{color:var(--warn)}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.plane{background:var(--card);border-radius:.5rem;padding:.75rem}.plane figcaption{margin-top:.5rem;gap:.25rem 1.25rem}.plane i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem}
svg text.in{fill:#fff;font-weight:600}line.mixing{stroke-width:2}g.route{stroke:var(--main);fill:var(--main)}g.base{stroke:var(--other);fill:var(--other)}g.best{stroke:var(--best);fill:var(--best)}
g text{stroke:var(--card);stroke-width:4px;paint-order:stroke}g.route text{fill:var(--main);font-weight:600}g.base text{fill:var(--other)}g.best text{fill:var(--best)}
.part-0{fill:#0b62c4;background:#0b62c4}.part-1{fill:#b4501e;background:#b4501e}.part-2{fill:#1a7f4b;background:#1a7f4b}.part-3{fill:#8442b5;background:#8442b5}.part-4{fill:#8a6a00;background:#8a6a00}.part-5{fill:#b02a5b;background:#b02a5b}
`
