import type { Certificate, Refusal } from '../../core/learning/certificate.ts'
import type { TrainedGate } from '../../core/learning/gates.ts'
import { document, escaped, table, tiles } from '../report/page.ts'
import { calibrationChart, costChart } from './charts.ts'
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
  const first: readonly (readonly [string, string])[] = [
    ['cost cut at 98 % of the quality', main ? percent(main.router) : '–'],
    ['95 % interval', main ? `${percent(main.low)} – ${percent(main.high)}` : '–'],
    ['random mixing', main ? percent(main.mixing) : '–'],
    ['oracle', main ? percent(main.oracle) : '–'],
  ]
  const body = [
    `<h1>${escaped(name)}</h1>`,
    `<p>What a router that asks the cheapest model that will do saves of <b>${escaped(strong)}</b>’s cost. All figures are of ${judgement.rows} prompts that neither taught nor certified.</p>`,
    tiles(first),
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
  return document(`${name}: trained router`, body)
}

const key = (kind: string, words: string): string =>
  `<span><svg viewBox="0 0 24 8" class="key"><line class="${kind}" x1="0" y1="4" x2="24" y2="4"/></svg>${words}</span>`
