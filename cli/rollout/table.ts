import type { RolloutView } from '../../operator/rollouts.ts'
import { columns, paint } from '../output.ts'

type Guardrail = RolloutView['guardrails'][number]
type Phase = RolloutView['phase']

const COLOURS = {
  Pending: 'dim',
  Progressing: 'bold',
  Paused: 'yellow',
  RollingBack: 'red',
  RolledBack: 'red',
  Promoted: 'green',
} as const satisfies Record<Phase, string>

/** Whether nothing moves it any more but somebody's word or an edit. */
export const isOver = ({ phase }: Pick<RolloutView, 'phase'>): boolean => phase === 'Promoted' || phase === 'RolledBack'
/** Whether its canary was found wanting. */
export const isBack = ({ phase }: Pick<RolloutView, 'phase'>): boolean =>
  phase === 'RolledBack' || phase === 'RollingBack'

/** A line for each rollout. */
export function list(rollouts: readonly RolloutView[], now: number): string {
  if (rollouts.length === 0) return 'No rule has a rollout here.\n'
  const head = ['ROUTE', 'RULE', 'CANARY', 'PHASE', 'STEP', 'WEIGHT', 'SAMPLES', 'EVIDENCE', 'SINCE']
  const rows = rollouts.map((it) => [
    it.route,
    it.rule,
    it.canary,
    it.phase,
    stepOf(it),
    `${it.weight} %`,
    `${it.samples.canary}/${it.samples.stable}`,
    worst(it.guardrails),
    age(it.since, now),
  ])
  return columns([head, ...rows])
}

/** All of one rollout, for the eye. */
export function details(it: RolloutView, now: number): string {
  const waits = it.waitsFor ?? []
  const more = it.waiting - waits.length
  const facts: readonly (readonly [string, string])[] = [
    [
      'phase',
      `${paint(COLOURS[it.phase], it.phase)} for ${age(it.since, now)}: ${it.reason}${it.by ? `, by ${it.by}` : ''}`,
    ],
    ['', it.message],
    ['canary', it.canary],
    ['step', `${steps(it)}  ${stepOf(it)}, for ${age(it.stepSince, now)}`],
    ['weight', `${gauge(it.weight / 100)}  ${it.weight} % of requests`],
    ['samples', `canary ${it.samples.canary}, stable ${it.samples.stable}, at this step`],
    ['harmed', `${it.harmed} ${it.harmed === 1 ? 'request' : 'requests'}`],
    ...(it.waiting > 0
      ? [
          [
            'waits for',
            `${it.waiting} ${it.waiting === 1 ? 'sidecar' : 'sidecars'}: ${waits.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
          ] as const,
        ]
      : []),
  ]
  const lines = facts.map(([name, value]) => `  ${paint('dim', name.padEnd(10))}${value}\n`).join('')
  const head = ['GUARDRAIL', 'MARGIN', 'EVIDENCE', 'OF', 'CANARY', 'STABLE', 'DIFFERENCE', 'SAMPLES', 'SHOWN']
  const rows = it.guardrails.map((guardrail) => [
    guardrail.metric,
    shown(guardrail.margin),
    `${gauge(progress(guardrail))} ${shown(guardrail.evidence)}`,
    shown(guardrail.needs),
    shown(guardrail.canary),
    shown(guardrail.stable),
    interval(guardrail),
    `${guardrail.counts.canary}/${guardrail.counts.stable}`,
    verdict(guardrail),
  ])
  return `${paint('bold', `${it.route}, rule ${it.rule}`)}\n${lines}\n${columns([head, ...rows])}`
}

/** One line that says where it is, for a log. */
export function line(it: RolloutView): string {
  const waits = it.waiting > 0 ? `, waits for ${it.waiting} ${it.waiting === 1 ? 'sidecar' : 'sidecars'}` : ''
  const numbers = `${it.weight} %, canary ${it.samples.canary}, stable ${it.samples.stable}`
  return `${it.route} ${it.rule} ${it.phase} ${stepOf(it)}, ${numbers}, evidence ${worst(it.guardrails)}${waits}`
}

/** How long it is since a time, such as `4m12s`. */
function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000))
  if (Number.isNaN(seconds)) return '-'
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}d${hours}h`
  if (hours > 0) return `${hours}h${minutes}m`
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`
}

const stepOf = ({ step, steps }: RolloutView): string => `${Math.min(step + 1, steps)}/${steps}`

/** A dot for each step: those that are behind, the one that it is at, and those that are to come. */
function steps({ step, steps, phase }: RolloutView): string {
  const done = phase === 'Promoted' ? steps : step
  return Array.from({ length: steps }, (_, at) => (at < done ? '●' : at === step ? '◉' : '○')).join('')
}

const CELLS = 10

function gauge(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * CELLS)
  return `${'█'.repeat(full)}${'░'.repeat(CELLS - full)}`
}

/** How far evidence has got to what it needs, 0 to 1: evidence multiplies, so that it is its logarithm that goes forward. */
function progress({ evidence, needs }: Guardrail): number {
  const share = Math.log(Number(evidence)) / Math.log(Number(needs))
  return Number.isNaN(share) ? 0 : Math.min(1, Math.max(0, share))
}

/** The guardrail that is nearest to a rollback. */
function worst(guardrails: readonly Guardrail[]): string {
  const [first] = [...guardrails].sort((a, b) => progress(b) - progress(a))
  return first ? `${first.metric} ${shown(first.evidence)} of ${shown(first.needs)}` : '-'
}

function interval({ lower, upper }: Guardrail): string {
  return lower === undefined || upper === undefined ? '-' : `${signed(lower)} … ${signed(upper)}`
}

/** What is shown by now: harm, which rolls it back, or that there is none beyond the margin, which every guardrail takes for a promotion. */
function verdict({ metric, evidence, needs, lower, upper, margin }: Guardrail): string {
  if (Number(evidence) >= Number(needs)) return paint('red', 'harm')
  // Of all others more is worse.
  const most = metric === 'Quality' ? (lower === undefined ? undefined : -Number(lower)) : upper
  return most !== undefined && Number(most) <= Number(margin) ? paint('green', 'no harm') : 'nothing yet'
}

const signed = (text: string): string => (Number(text) > 0 ? `+${shown(text)}` : shown(text))

/** A decimal, to four digits that count. */
function shown(text: string | undefined): string {
  if (text === undefined) return '-'
  const number = Number(text)
  return Number.isFinite(number) ? String(Number(number.toPrecision(number >= 1000 ? 6 : 4))) : text
}
