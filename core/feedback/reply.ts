import type { Deps } from '../deps.ts'
import { Failure } from '../errors.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { readFields } from '../read-body.ts'
import { readFeedback } from './said.ts'

/** The answer to somebody who says what they think of an answer. Throws `invalid_json`, `invalid_request` and `decision_unknown`. */
export function feedbackReply(exchange: Exchange, { feedback: desk, now }: Pick<Deps, 'feedback' | 'now'>): Reply {
  if (!desk) throw new Failure('path_not_found')
  // Its structure is seen to first: `json` takes it for granted.
  exchange.fields = readFields(exchange)
  const feedback = readFeedback(exchange.json)
  const { known, upgraded, learnt, counted } = desk.take(feedback, now())
  if (!known && !learnt && !counted) throw new Failure('decision_unknown', { detail: feedback.id })
  const { id, reward } = feedback
  const rewarded = reward === undefined ? {} : { reward }
  const body = { request_id: id, ...rewarded, upgraded, learnt, ...(counted ? { counted } : {}), ...known }
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify(body)),
  }
}
