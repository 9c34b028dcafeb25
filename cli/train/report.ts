import type { Certificate, Refusal } from '../../core/learning/certificate.ts'
import type { TrainedGate } from '../../core/learning/gates.ts'
import { calibrationChart, costChart, escaped } from './charts.ts'
import type { Saving } from './judge.ts'
import type { Trained } from './train.ts'

/** A share as a percentage with a digit; a dash for what there is none of. */
export const percent = (value: number): string =>
  // Adding 0 takes the sign from a 0 that rounding left negative.
  Number.isFinite(value) ? `${(Math.round(1000 * value) / 10 + 0).toFixed(1)} %` : '–'

/** Why there is no certificate, and what would help. */
const REFUSALS: Readonly<Record<Refusal['reason'], string>> = {
  'too-few-rows': 'too few rows certify: three in ten of the rows do, and 500 are needed',
  'far-pair': 'the cheap model is too far from the strong one',
  'no-safe-threshold': 'no threshold is shown to keep the quality',
}

/** What was promised for a segment, or why nothing was, in a few words. */
export function promiseWords(made: Certificate | Refusal): string {
  return made.kind === 'Refusal'
    ? `refused: ${REFUSALS[made.reason]} (${made.n} rows)`
    : `promised: at least ${percent(made.retain)} of the quality with ${percent(made.share)} of requests kept cheap, δ = ${made.delta.toFixed(3)}, ${made.n} rows, until ${made.expires}`
}

/** A gate in words. */
export const gateName = ({ weak, second }: TrainedGate): string =>
  `gate of ${weak}${second === undefined ? '' : ` beside ${second}`}`

/** Whether a saving is better than mixing by lot, by its interval. */
export function savingWords({ router, low, high, mixing, oracle }: Saving): string {
  return `${percent(router)} (${percent(low)} to ${percent(high)}); random mixing ${percent(mixing)}, oracle ${percent(oracle)}`
}

/** The report: one HTML page with nothing fetched, for light and dark. */
export function reportPage(
  name: string,
  { artefact, bytes, judgement, promises, gates, assumed, parts }: Trained,
): string {
  const { provenance, hash, textRule } = artefact
  const { savings, heads, segments, strong, single } = judgement
  const main = savings.find(({ retain }) => retain === 0.98)
  const facts: readonly (readonly [string, string])[] = [
    ['made', provenance.date],
    ['version of tradewind', provenance.version],
    ['data, SHA-256', provenance.data],
    ['artefact, SHA-256', hash],
    ['size', `${Math.ceil(bytes.length / 1024)} KiB`],
    ['text', textRule],
    ['acceptable from', String(provenance.bar)],
    ['seed', String(provenance.seed)],
    ['rows', `${parts.taught} teach, ${parts.held} set what is novel, ${parts.certify} certify, ${parts.judge} judge`],
  ]
  const tiles: readonly (readonly [string, string])[] = [
    ['cost cut at 98 % of the quality', main ? percent(main.router) : '–'],
    ['95 % interval', main ? `${percent(main.low)} – ${percent(main.high)}` : '–'],
    ['random mixing', main ? percent(main.mixing) : '–'],
    ['oracle', main ? percent(main.oracle) : '–'],
  ]
  const body = [
    `<h1>${escaped(name)}</h1>`,
    `<p>What a router that asks the cheapest model that will do saves of <b>${escaped(strong)}</b>’s cost. All figures are of ${judgement.rows} prompts that neither taught nor certified.</p>`,
    `<div class="tiles">${tiles.map(([what, value]) => `<div><b>${value}</b><span>${what}</span></div>`).join('')}</div>`,
    assumed.length > 0
      ? '<p class="warn">Costs were not given: they are assumed to rise with quality, from 1 to 16.67. Say them with <code>--cost MODEL=NUMBER</code>.</p>'
      : '',
    '<h2>Quality and cost</h2>',
    single.length > 1
      ? `<figure>${costChart(judgement)}<figcaption>${key('router', 'router')}${key('mixing', 'random mixing')}${key('oracle', 'oracle: the best choice for each prompt')}</figcaption></figure>`
      : '<p>The judging rows have no two models that answered all of them: there is no curve.</p>',
    table(
      ['quality kept', 'cost cut', '95 % interval', 'random mixing', 'oracle'],
      savings.map(({ retain, router, low, high, mixing, oracle }) => [
        percent(retain),
        percent(router),
        `${percent(low)} – ${percent(high)}`,
        percent(mixing),
        percent(oracle),
      ]),
    ),
    '<p class="note">These read the curve where it keeps so much of the quality, on the rows that draw it. What may be relied on is what is promised below.</p>',
    '<h2>Promises</h2>',
    promises.made.length === 0
      ? '<p>No model is cheaper than the strong one: there is nothing to promise.</p>'
      : table(
          ['segment', 'cheap model', 'promise'],
          promises.made.map(({ weak, made }) => [made.segment, weak, promiseWords(made)]),
        ),
    ...(gates.length === 0
      ? []
      : [
          '<p>Of a cascade: the cheap model is asked first, and its answer is kept where a gate finds that the strong one’s would be no better.</p>',
          table(
            ['segment', 'gate', 'promise'],
            gates.flatMap((gate) => gate.made.map((made) => [made.segment, gateName(gate), promiseWords(made)])),
          ),
        ]),
    '<h2>Models</h2>',
    table(
      ['model', 'rows', 'mean quality', 'acceptable', 'cost', 'calibration error', 'Brier', 'Brier of the base rate'],
      heads.map((it) => [
        it.model,
        String(it.rows),
        percent(it.quality),
        percent(it.acceptable),
        String(Number(it.cost.toPrecision(4))),
        percent(it.ece),
        it.brier.toFixed(3),
        it.brierBase.toFixed(3),
      ]),
    ),
    '<h2>Segments</h2>',
    '<p>Routed by one weight of cost, the cheapest that keeps 98 % over all segments.</p>',
    table(
      ['segment', 'rows', `quality of ${strong}`, 'quality routed', 'kept', 'cost cut'],
      segments.map((it) => [
        it.segment,
        String(it.rows),
        percent(it.strong),
        percent(it.router),
        percent(it.router / it.strong),
        percent(it.saving),
      ]),
    ),
    '<h2>Calibration</h2>',
    '<p>Of prompts that a head says will have an acceptable answer in a share of cases, in how many they had. On the line it is right.</p>',
    `<div class="charts">${heads
      .map(
        ({ model, bins }) =>
          `<figure>${calibrationChart(model, bins)}<figcaption>${escaped(model)}</figcaption></figure>`,
      )
      .join('')}</div>`,
    '<h2>What it was made from</h2>',
    `<dl>${facts.map(([what, value]) => `<dt>${what}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`,
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(name)}: trained router</title><style>${STYLE}</style></head><body>
${body.filter((part) => part !== '').join('\n')}
</body></html>
`
}

const key = (kind: string, words: string): string =>
  `<span><svg viewBox="0 0 24 8" class="key"><line class="${kind}" x1="0" y1="4" x2="24" y2="4"/></svg>${words}</span>`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell).replaceAll(' %', '&nbsp;%')}</${tag}>`).join('')}</tr>`
  return `<div class="wide"><table><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`
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
`
