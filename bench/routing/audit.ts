import { Audit, AUDIT_DEFAULTS } from '../../core/learning/audit.ts'
import type { Certificate } from '../../core/learning/certificate.ts'
import { seeded } from '../../core/learning/random.ts'
import { percent } from './cascade.ts'
import { certified, OPTIONS, prepared, SEEDS } from './certificate.ts'
import type { Prepared } from './certificate.ts'
import type { Row } from './data.ts'
import { pairOf } from './pair.ts'
import type { Pair } from './pair.ts'

const [WEAK, STRONG, SECOND] = ['gpt-4o-mini-2024-07-18', 'gpt-4o-2024-08-06', 'gemini-1.5-flash']
/** What the cheap model becomes, behind its name: itself, and two that are worse. */
const BECOMES = [WEAK, 'gemini-1.5-flash', 'gpt-3.5-turbo-0125'] as const
const LIVES = 200
/** Audited requests before the change, and after it. */
const [BEFORE, AFTER] = [300, 3000]
const AUDITED = 0.02

/** How an audit finds that a cheap model has changed behind its name, as Markdown. */
export function audit(zeroeval: readonly Row[]): string {
  const pair = pairOf(zeroeval, WEAK, STRONG, SECOND)
  const scored = SEEDS.map((seed) => prepared(pair, 'prompt', seed))
  return [
    `${pair.name}, routed by the prompt alone with a certificate of 98 %, ${LIVES} lives: ${BEFORE} audited requests, then the model behind the cheap name changes, then ${AFTER} more. Requests are drawn ` +
      'from rows that trained nothing. *retention* is that of all requests after the change, at the certified threshold and at the one that the audit has come to in the end. ' +
      `One in ${1 / AUDITED} requests that stay cheap is audited. A life in which the promise holds is to alarm in at most 5 %; where the certificate itself was wrong (δ), an alarm before the change is right.`,
    '',
    '| the cheap model becomes | alarms before the change | after it | audits to the alarm, median (middle 80 %) | that is requests | retention without the audit | with it | kept cheap: before · after |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...BECOMES.map((model) => line(pair, scored, model)),
  ].join('\n')
}

interface Life {
  readonly early: boolean
  readonly found: number | undefined
  readonly share: number
  readonly bare: number
  readonly guarded: number
  readonly left: number
}

function line(pair: Pair, scored: readonly Prepared[], model: string): string {
  const became = Float64Array.from(pair.rows, ({ models }) => models[model]?.q ?? 0)
  const lives = Array.from({ length: LIVES }, (_, life) => {
    const one = scored[life % scored.length]
    return one && live(pair, one, became, life)
  }).filter((life) => life !== undefined)
  const mean = (of: (life: Life) => number): number => lives.reduce((sum, life) => sum + of(life), 0) / lives.length
  const found = lives.flatMap(({ found }) => found ?? []).sort((a, b) => a - b)
  const at = (share: number): number => found[Math.round(share * (found.length - 1))] ?? Number.NaN
  return (
    `| ${model === WEAK ? 'what it was' : model} | ${percent(mean(({ early }) => (early ? 1 : 0)))} | ${percent(found.length / lives.length)} ` +
    `| ${found.length < 10 ? '–' : `${at(0.5)} (${at(0.1)}–${at(0.9)})`} ` +
    `| ${found.length < 10 ? '–' : Math.round(at(0.5) / AUDITED / mean(({ share }) => share))} ` +
    `| ${percent(mean(({ bare }) => bare))} | ${percent(mean(({ guarded }) => guarded))} | ${percent(mean(({ share }) => share))} · ${percent(mean(({ left }) => left))} |`
  )
}

/** One life of a certificate; nothing where it is refused. */
function live(pair: Pair, scored: Prepared, became: Float64Array, life: number): Life | undefined {
  const random = seeded(life + 1)
  const { rest, score } = scored
  const drawn = (): number => rest[Math.floor(random() * rest.length)] ?? 0
  const made = certified(pair, scored, Array.from({ length: 1100 }, drawn), OPTIONS)
  if (made.kind !== 'Certificate') return undefined
  const watch = new Audit({ ...AUDIT_DEFAULTS, ...made })
  /** Audits so many requests, and says after how many of them it first alarmed. */
  const serve = (count: number, weak: Float64Array): number | undefined => {
    let first: number | undefined
    for (let audits = 1; audits <= count;) {
      const { threshold } = watch.verdict
      if (threshold === Infinity) break
      const row = drawn()
      if ((score[row] ?? 0) < threshold) continue
      if (watch.update(score[row] ?? 0, (pair.strong[row] ?? 0) - (weak[row] ?? 0)).alarm) first ??= audits
      audits++
    }
    return first
  }
  const early = serve(BEFORE, pair.weak) !== undefined
  const found = serve(AFTER, became)
  const bare = routed(pair, rest, score, became, made.threshold)
  const guarded = routed(pair, rest, score, became, watch.verdict.threshold)
  return {
    early,
    found,
    share: shareOf(made, rest, score),
    bare: bare.retention,
    guarded: guarded.retention,
    left: guarded.share,
  }
}

const shareOf = ({ threshold }: Certificate, rest: readonly number[], score: Float64Array): number =>
  rest.filter((row) => (score[row] ?? 0) >= threshold).length / rest.length

/** The quality that a threshold retains, and what it keeps cheap, where the cheap model's quality is `weak`. */
function routed({ strong }: Pair, rest: readonly number[], score: Float64Array, weak: Float64Array, threshold: number) {
  let [sum, best, kept] = [0, 0, 0]
  for (const row of rest) {
    const cheap = (score[row] ?? 0) >= threshold
    if (cheap) kept++
    sum += (cheap ? weak[row] : strong[row]) ?? 0
    best += strong[row] ?? 0
  }
  return { retention: sum / best, share: kept / rest.length }
}
