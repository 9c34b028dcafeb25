import type { Outcome } from './desk.ts'

/** A line of the decision log that is about the answer to a request before, to be joined with that by `id`. */
export interface FeedbackLine {
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly msg: 'feedback'
  /** `x-request-id` of the answer. */
  readonly id: string
  /** Where this sidecar knows of the decision. */
  readonly route?: string
  readonly rule?: string
  readonly target?: string
  readonly rating?: 'good' | 'bad' | number
  readonly score?: number
  readonly label?: string
  readonly implicit?: string
  /** How good the answer was, 0…1. */
  readonly reward?: number
  readonly upgraded: boolean
  readonly learnt: boolean
  readonly correction?: string
}

/** The JSON of what was made of a feedback. `wall`: ms since the epoch. */
export function feedbackLine(
  { feedback, implicit, id, known, upgraded, learnt, correction }: Outcome,
  wall: number,
): string {
  const line: FeedbackLine = {
    time: wall,
    msg: 'feedback',
    id,
    ...known,
    ...(feedback?.rating === undefined ? {} : { rating: feedback.rating }),
    ...(feedback?.score === undefined ? {} : { score: feedback.score }),
    ...(feedback?.label === undefined ? {} : { label: feedback.label }),
    ...(implicit ? { implicit } : {}),
    ...(feedback?.reward === undefined ? {} : { reward: feedback.reward }),
    upgraded,
    learnt,
    ...(correction === undefined ? {} : { correction }),
  }
  return JSON.stringify(line)
}
