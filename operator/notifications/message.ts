import { createHash, createHmac } from 'node:crypto'
import { API_VERSION } from '../../api/resource.ts'
import type { RolloutView } from '../rollouts.ts'
import type { Subscription } from './subscription.ts'

/** What a template may have in braces: members of a rollout. */
export const WORDS = [
  'route',
  'rule',
  'phase',
  'reason',
  'message',
  'canary',
  'step',
  'steps',
  'weight',
  'harmed',
  'by',
] as const satisfies readonly (keyof RolloutView)[]

/** Something to post. */
export interface Message {
  /** The same for the same change of phase, whoever tells of it: who hears it twice knows it by that. */
  readonly id: string
  readonly contentType: string
  readonly body: string
}

/** The name of a rollout's latest change of phase. */
export function changeOf({ route, rule, phase, since }: RolloutView): string {
  return createHash('sha256')
    .update(JSON.stringify([route, rule, phase, since]))
    .digest('hex')
    .slice(0, 32)
}

/**
 * What is posted of a rollout: a CloudEvent (CloudEvents 1.0, JSON format, structured mode) whose data is the rollout as `/v1/rollouts` has
 * it and whose extension `text` is the template, filled; or `{"text"}` alone, as chats take it.
 */
export function messageOf(
  rollout: RolloutView,
  { format, template }: Pick<Subscription, 'format' | 'template'>,
): Message {
  const id = changeOf(rollout)
  const text = template.replaceAll(/\{(\w+)\}/g, (_, word: string) => {
    const known = WORDS.find((it) => it === word)
    if (known === 'step') return String(Math.min(rollout.step + 1, rollout.steps))
    return known ? String(rollout[known] ?? '') : ''
  })
  if (format === 'Text') return { id, contentType: 'application/json', body: JSON.stringify({ text }) }
  const [namespace = '', name = ''] = rollout.route.split('/')
  const event = {
    specversion: '1.0',
    id,
    source: `/apis/${API_VERSION}/namespaces/${namespace}/modelroutes/${name}`,
    subject: rollout.rule,
    type: `dev.tradewind.rollout.${rollout.phase.toLowerCase()}`,
    time: rollout.since,
    datacontenttype: 'application/json',
    text,
    data: rollout,
  }
  return { id, contentType: 'application/cloudevents+json', body: JSON.stringify(event) }
}

/**
 * The headers by which a message is known and shown to be ours, of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over
 * id, time and body. A secret that begins with `whsec_` is the base64 after it, as that specification has it; another is its own bytes.
 */
export function signed(
  { id, body }: Message,
  secret: string | undefined,
  seconds: number,
): Readonly<Record<string, string>> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds) }
  if (secret === undefined) return headers
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}
