import { type Answer, complaint } from './answer.ts'

/** Every way in which providers say how long to wait after a 429; the wait is in milliseconds. */
const forms: Readonly<Record<string, (wait: number) => Readonly<Record<string, string>>>> = {
  none: () => ({}),
  seconds: (wait) => ({ 'retry-after': String(Math.ceil(wait / 1000)) }),
  fraction: (wait) => ({ 'retry-after': String(wait / 1000) }),
  // An HTTP-date has whole seconds (RFC 9110, 5.6.7): rounded up, so that the wait is never less than was asked.
  date: (wait) => ({ 'retry-after': new Date(Math.ceil((Date.now() + wait) / 1000) * 1000).toUTCString() }),
  ms: (wait) => ({ 'retry-after-ms': String(wait) }),
  'x-ms': (wait) => ({ 'x-ms-retry-after-ms': String(wait) }),
  text: () => ({}),
}

export const retryAfterForms: readonly string[] = Object.keys(forms)

/** A 429 as OpenAI words it, the wait in the given form; `text` has it in the message alone. Throws for an unknown form. */
export function rateLimited(form: string, wait: number): Answer {
  const headers = forms[form]
  if (!headers) throw new Error(`"${form}" is no form of Retry-After; there are ${retryAfterForms.join(', ')}`)
  const hint = form === 'text' ? ` Please try again in ${wait < 1000 ? `${wait}ms` : `${wait / 1000}s`}.` : ''
  const message = `Rate limit reached for mock in organization org-mock on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.${hint}`
  return complaint({ status: 429, message, type: 'tokens', code: 'rate_limit_exceeded' }, headers(wait))
}
