import { isRecord, seedOf, textOf, tokensOf } from '../text.ts'
import type { Voice } from '../mind.ts'
import type { Conversation } from '../realtime.ts'

/** https://platform.openai.com/docs/api-reference/realtime: a session in which the user's texts are answered, one by one. */
export function realtime(model: string, voice: Voice): Conversation {
  let heard = ''
  let events = 0
  const said = (type: string, rest: object): object => ({ type, event_id: `event_${++events}`, ...rest })
  const wrong = (message: string): readonly object[] => [
    said('error', { error: { type: 'invalid_request_error', code: 'invalid_value', message } }),
  ]
  return {
    model,
    opening: [said('session.created', { session: { object: 'realtime.session', type: 'realtime', model } })],
    reply(message) {
      if (!isRecord(message)) return wrong('The message is no JSON object.')
      switch (message['type']) {
        case 'session.update':
          return [said('session.updated', { session: message['session'] })]
        case 'conversation.item.create': {
          const item = isRecord(message['item']) ? message['item'] : {}
          const content: readonly unknown[] = Array.isArray(item['content']) ? item['content'] : []
          heard = textOf(content)
          return [said('conversation.item.created', { item })]
        }
        case 'response.create': {
          const words = tokensOf(voice.name, heard, seedOf(heard), voice.tokens)
          const deltas = words.map((delta) => said('response.output_text.delta', { delta }))
          return [...deltas, said('response.done', { response: { status: 'completed', output: [words.join('')] } })]
        }
        default:
          return wrong(`Invalid value: '${String(message['type'])}'.`)
      }
    },
  }
}
