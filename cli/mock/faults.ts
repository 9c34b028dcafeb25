import { type Answer, bodyOf, type Delivery, type Part, whole } from './answer.ts'
import { parseMilliseconds } from './pace.ts'
import type { MockProvider, Trouble } from './providers/provider.ts'
import { retryAfterForms, waitHeaders } from './rate-limit.ts'

/** The words after a fault's name; a number reads `2`, `250ms`, `1.5s`. */
type Words = Readonly<Record<string, string | number>>
type Params = Readonly<Record<string, string | number>>

/** A kind of fault: what it does, the parameters with their defaults, and its effect on an honest answer of a provider. */
export interface FaultKind {
  readonly about: string
  /** The parameter that `name=value` sets. */
  readonly main?: string
  readonly defaults: Params
  readonly bind: (given: Words) => (answer: Answer, provider: MockProvider) => Answer
}

type Widened<P> = { readonly [K in keyof P]: P[K] extends number ? number : string }

function kind<P extends Params>(
  about: string,
  defaults: P,
  apply: (answer: Answer, p: Widened<P>, provider: MockProvider) => Answer,
  main?: string,
): FaultKind {
  return {
    about,
    ...(main ? { main } : {}),
    defaults,
    // `given` has been read by `parseWord` against `defaults`, so the kinds of its values are those of P.
    bind: (given) => (answer, provider) => apply(answer, { ...defaults, ...given } as Widened<P>, provider),
  }
}

function delivered(answer: Answer, delivery: Partial<Delivery>): Answer {
  return { ...answer, delivery: { ...answer.delivery, ...delivery } }
}

/** The first `n` parts of a stream, or the first half of a whole answer. */
function opening(answer: Answer, n: number): readonly Part[] {
  return answer.stream ? answer.parts.slice(0, n) : halves(answer).slice(0, 1)
}

function halves(answer: Answer): readonly Part[] {
  const body = bodyOf(answer)
  const middle = Math.ceil(body.length / 2)
  return [body.slice(0, middle), body.slice(middle)]
}

/** A part of a stream that is no event any more: text loses its end, bytes have one of them turned round. */
function spoiled(part: Part): Part {
  if (typeof part === 'string') {
    // The cut is in the data, after the event's name where there is one.
    const at = Math.max(0, part.indexOf('data:'))
    return `${part.slice(0, at + Math.min(20, (part.length - at) >> 1))}\n\n`
  }
  return Buffer.from(part.map((byte, i) => (i === part.length >> 1 ? byte ^ 0xff : byte)))
}

const broken = {
  kind: 'failed',
  status: 500,
  message: 'The server had an error while processing your request.',
  code: 'server_error',
} as const satisfies Trouble

/** A status that a final answer may have (RFC 9110, 15); throws for any other. */
function final(status: number): number {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new Error(`${status} is no status between 200 and 599`)
  return status
}

const page =
  '<!doctype html>\n<html><head><title>Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n'

/** Every fault by name. `refuse` acts on the listener too, `empty` and `says` on what the model says, see `server.ts`. */
export const faultKinds: Readonly<Record<string, FaultKind>> = {
  refuse: kind('stop listening for a time, or reset a share of connections as they come', { for: Infinity }, (a) =>
    delivered(a, { connection: 'reset' }),
  ),
  reset: kind('reset the connection (RST) before the headers', {}, (a) => delivered(a, { connection: 'reset' })),
  'hang-up': kind('close the connection (FIN) before the headers', {}, (a) => delivered(a, { connection: 'hang-up' })),
  'stall-headers': kind(
    'silence before the headers',
    { for: Infinity },
    (a, p) => delivered(a, { holdHeaders: p.for }),
    'for',
  ),
  'stall-body': kind(
    'silence after some events, or after half of a whole answer',
    { after: 2, for: Infinity },
    (a, p) =>
      delivered(a.stream ? a : { ...a, parts: halves(a) }, { stallAfter: a.stream ? p.after : 1, stallFor: p.for }),
    'after',
  ),
  delay: kind('headers later by so much', { for: 1000 }, (a, p) => delivered(a, { holdHeaders: p.for }), 'for'),
  trickle: kind(
    'the body in pieces of some bytes',
    { bytes: 1, every: 50 },
    (a, p) => delivered(a, { pieceBytes: Math.max(1, p.bytes), pieceEvery: p.every }),
    'bytes',
  ),
  cut: kind(
    'close the connection after so many bytes of body; how=reset sends RST',
    { bytes: 0, how: 'hang-up' },
    (a, p) => delivered(a, { cutAt: p.bytes, connection: p.how === 'reset' ? 'reset' : 'hang-up' }),
    'bytes',
  ),
  'content-length': kind(
    'a length that is wrong by so many bytes (negative: too short)',
    { by: 100 },
    (a, p) => delivered(a, { lengthLie: p.by }),
    'by',
  ),
  status: kind(
    'an error of that status, in the provider’s words',
    { status: 500, message: broken.message, code: broken.code },
    (_, p, provider) => provider.error({ kind: 'failed', status: final(p.status), message: p.message, code: p.code }),
    'status',
  ),
  'rate-limit': kind(
    `429; form is one of ${retryAfterForms.join(', ')}`,
    { form: 'seconds', wait: 1000 },
    (_, p, provider) => {
      // An unknown form is an error whichever provider has its words.
      waitHeaders(p)
      return provider.error({ kind: 'rate-limit', form: p.form, wait: p.wait })
    },
    'form',
  ),
  quota: kind('a quota that is used up', {}, (_, _p, provider) => provider.error({ kind: 'quota' })),
  'context-length': kind('the prompt is too long', { limit: 8192 }, (_, p, provider) =>
    provider.error({ kind: 'context-length', limit: p.limit }),
  ),
  'content-refused': kind('the prompt is against the rules', {}, (_, _p, provider) =>
    provider.error({ kind: 'content-refused' }),
  ),
  'content-filter': kind('an answer that a content filter ended', {}, (a, _, provider) => provider.filtered(a)),
  html: kind(
    'an HTML error page',
    { status: 502 },
    (_, p) => ({ ...whole(page, 'text/html'), status: final(p.status) }),
    'status',
  ),
  'error-200': kind('200 with an error body', {}, (_, _p, provider) => ({ ...provider.error(broken), status: 200 })),
  'error-first': kind(
    'an error as the first event; form=event names it `event: error`, form=data does not',
    { form: 'data' },
    (a, p, provider) =>
      a.stream ? { ...a, parts: [provider.errorPart(broken, a, p.form)] } : { ...provider.error(broken), status: 200 },
    'form',
  ),
  'error-middle': kind(
    'an error event after some events, and the end',
    { after: 2, form: 'data' },
    (a, p, provider) => {
      const before = { ...a, parts: opening(a, p.after) }
      return a.stream ? { ...a, parts: [...before.parts, provider.errorPart(broken, before, p.form)] } : before
    },
    'after',
  ),
  malformed: kind(
    'one event, or the whole answer, that is broken JSON',
    { after: 2 },
    (a, p) => ({
      ...a,
      parts: a.stream ? a.parts.map((part, i) => (i === p.after ? spoiled(part) : part)) : opening(a, 1),
    }),
    'after',
  ),
  truncate: kind(
    'a clean end after some events, or half of a whole answer',
    { after: 2 },
    (a, p) => ({ ...a, parts: opening(a, p.after) }),
    'after',
  ),
  'no-finish': kind('a stream that ends as it should but without a finish reason', {}, (a, _, provider) => ({
    ...a,
    parts: a.parts.filter((part) => !provider.finishes(part)),
  })),
  'no-done': kind('a finished stream without what says that nothing follows', {}, (a, _, provider) => ({
    ...a,
    parts: a.parts.filter((part) => !provider.terminates(part)),
  })),
  empty: kind('an answer that ends as it should and says nothing', {}, (a) => a),
  says: kind(
    'an answer of these words, percent-encoded where they have commas; arguments: those of its calls',
    { text: '', arguments: '' },
    (a) => a,
    'text',
  ),
  duplicate: kind(
    'one event twice',
    { after: 2 },
    (a, p) => ({
      ...a,
      parts: a.stream ? a.parts.flatMap((part, i) => (i === p.after ? [part, part] : [part])) : a.parts,
    }),
    'after',
  ),
  swap: kind(
    'two events in the wrong order',
    { after: 2 },
    (a, p) => {
      const [one, two] = [a.parts[p.after], a.parts[p.after + 1]]
      if (!a.stream || one === undefined || two === undefined) return a
      return { ...a, parts: a.parts.with(p.after, two).with(p.after + 1, one) }
    },
    'after',
  ),
  'content-type': kind(
    'the right body under a wrong content type',
    { type: 'text/plain' },
    (a, p) => ({ ...a, headers: { ...a.headers, 'content-type': p.type } }),
    'type',
  ),
}

/** What every fault takes: whom it strikes, and a header that its answer carries besides. */
const common = ['percent', 'times', 'path', 'model', 'on', 'header']

/** A fault with its parameters and the requests it strikes. */
export interface Fault {
  readonly name: string
  readonly text: string
  /** Share of the requests that match, in percent. */
  readonly percent: number
  /** How many requests it strikes before it is spent. */
  readonly times: number
  readonly path: string | undefined
  readonly model: string | undefined
  /** Only the mock of this name: a header that passes through a proxy may meet several mocks. */
  readonly on: string | undefined
  /** How long `refuse` lasts, milliseconds. */
  readonly lasts: number
  /** What `says` has the model say; undefined: words, or arguments, of its own. */
  readonly says: string | undefined
  readonly arguments: string | undefined
  readonly apply: (answer: Answer) => Answer
}

function parseWord(fault: string, key: string, text: string, standard: string | number): string | number {
  if (typeof standard === 'string') return text
  const value = /^-\d+$/.test(text) ? Number(text) : parseMilliseconds(text)
  if (value === undefined) throw new Error(`fault ${fault}: ${key}=${text} is not a number or a time such as 250ms`)
  return value
}

function parseHeader(fault: string, text: string): readonly [string, string] {
  const found = /^([^:]+):(.*)$/.exec(text)
  if (!found) throw new Error(`fault ${fault}: a header reads name:value`)
  return [(found[1] ?? '').trim(), (found[2] ?? '').trim()]
}

/**
 * Reads `name[=value][,key=value…]`, as `--fault`, the header `x-mock-fault` and `POST /_mock` have it: `status=500,percent=10`,
 * `stall-body,after=3,on=primary`, `rate-limit=date,wait=2s,times=1`, `status=409,header=x-should-retry:false`. Throws with what is allowed,
 * and where it cannot be applied to answers of `provider`.
 */
export function parseFault(text: string, provider: MockProvider): Fault {
  const [head = '', ...rest] = text.split(',').map((word) => word.trim())
  const [name, value] = split(head)
  const found = Object.hasOwn(faultKinds, name) ? faultKinds[name] : undefined
  if (!found) throw new Error(`"${name}" is no fault; there are ${Object.keys(faultKinds).join(', ')}`)
  const words = rest.map(split)
  if (value !== undefined) {
    if (!found.main) throw new Error(`fault ${name} takes no value`)
    words.unshift([found.main, value])
  }
  const given: Record<string, string | number> = {}
  const scope: Record<string, string> = {}
  const headers: (readonly [string, string])[] = []
  for (const [key, word = ''] of words) {
    const standard = Object.hasOwn(found.defaults, key) ? found.defaults[key] : undefined
    if (standard !== undefined) given[key] = parseWord(name, key, word, standard)
    else if (key === 'header') headers.push(parseHeader(name, word))
    else if (common.includes(key)) scope[key] = word
    else
      throw new Error(`fault ${name} has no "${key}"; it has ${[...Object.keys(found.defaults), ...common].join(', ')}`)
  }
  const strike = found.bind(given)
  const apply = (answer: Answer): Answer => {
    const struck = strike(answer, provider)
    return { ...struck, headers: { ...struck.headers, ...Object.fromEntries(headers) } }
  }
  const percent = Number(scope['percent'] ?? 100)
  const times = Number(scope['times'] ?? Infinity)
  if (!(percent >= 0 && percent <= 100))
    throw new Error(`fault ${name}: percent=${scope['percent']} is not between 0 and 100`)
  if (!(times >= 0)) throw new Error(`fault ${name}: times=${scope['times']} is not a number of requests`)
  // A fault that cannot be applied (a form of Retry-After that there is not) is an error now and not at the first request.
  apply(whole('null', 'application/json'))
  const lasts = typeof given['for'] === 'number' ? given['for'] : Infinity
  const said = (key: string): string | undefined =>
    name === 'says' && given[key] !== undefined ? decodeURIComponent(String(given[key])) : undefined
  return {
    name,
    text,
    percent,
    times,
    path: scope['path'],
    model: scope['model'],
    on: scope['on'],
    lasts,
    says: said('text'),
    arguments: said('arguments'),
    apply,
  }
}

function split(word: string): [string, string?] {
  const at = word.indexOf('=')
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)]
}
