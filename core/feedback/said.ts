import type { Json } from '../dialects/dialect.ts'
import { Failure } from '../errors.ts'

/** What somebody says of an answer. */
export interface Feedback {
  /** `x-request-id` of the answer. */
  readonly id: string
  /** How good it was, 0…1; undefined where that is not said. */
  readonly reward: number | undefined
  readonly rating: 'good' | 'bad' | number | undefined
  readonly score: number | undefined
  readonly label: string | undefined
  /** What it should have been. */
  readonly correction: string | undefined
}

const RATINGS = 'rating must be "good", "bad" or a whole number from 1 to 5'

/** Reads the body of a feedback. A score says what it is worth, else a rating, else a correction that it was bad. Throws `invalid_request`. */
export function readFeedback(body: Json): Feedback {
  const { request_id: id, rating, score, label, correction, ...rest } = body
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw wrong(
      `there is no field ${JSON.stringify(unknown.slice(0, 64))}; it takes request_id, rating, score, label and correction`,
    )
  if (typeof id !== 'string' || id === '' || id.length > 128)
    throw wrong('request_id must be the x-request-id of an answer')
  if (rating !== undefined && rating !== 'good' && rating !== 'bad' && !isStars(rating)) throw wrong(RATINGS)
  if (score !== undefined && !(typeof score === 'number' && score >= 0 && score <= 1))
    throw wrong('score must be a number from 0 to 1')
  if (label !== undefined && !isText(label, 256)) throw wrong('label must be a string of 1 to 256 characters')
  if (correction !== undefined && !isText(correction, 65_536))
    throw wrong('correction must be a string of 1 to 65536 characters')
  if (rating === undefined && score === undefined && label === undefined && correction === undefined)
    throw wrong('it must have at least one of rating, score, label and correction')
  return { id, rating, score, label, correction, reward: score ?? rewardOf(rating, correction) }
}

function rewardOf(rating: Feedback['rating'], correction: string | undefined): number | undefined {
  if (rating === undefined) return correction === undefined ? undefined : 0
  return typeof rating === 'number' ? (rating - 1) / 4 : rating === 'good' ? 1 : 0
}

const isStars = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 5
const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= most

const wrong = (why: string): Failure => new Failure('invalid_request', { detail: `The feedback is none: ${why}.` })
