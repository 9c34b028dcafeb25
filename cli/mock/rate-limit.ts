interface Wait {
  readonly form: string
  /** Milliseconds. */
  readonly wait: number
}

/** Every way in which providers say how long to wait after a 429. */
const forms: Readonly<Record<string, (wait: number) => Readonly<Record<string, string>>>> = {
  none: () => ({}),
  seconds: (wait) => ({ 'retry-after': String(Math.ceil(wait / 1000)) }),
  fraction: (wait) => ({ 'retry-after': String(wait / 1000) }),
  // An HTTP-date has whole seconds (RFC 9110, 5.6.7): rounded up, so that the wait is never less than was asked.
  date: (wait) => ({ 'retry-after': new Date(Math.ceil((Date.now() + wait) / 1000) * 1000).toUTCString() }),
  ms: (wait) => ({ 'retry-after-ms': String(wait) }),
  'x-ms': (wait) => ({ 'x-ms-retry-after-ms': String(wait) }),
  text: () => ({}),
  'retry-info': () => ({}),
}

export const retryAfterForms: readonly string[] = Object.keys(forms)

/** The headers of a wait; `text` and `retry-info` have none, they are in the body. Throws for an unknown form. */
export function waitHeaders({ form, wait }: Wait): Readonly<Record<string, string>> {
  const headers = forms[form]
  if (!headers) throw new Error(`"${form}" is no form of Retry-After; there are ${retryAfterForms.join(', ')}`)
  return headers(wait)
}

/** What the message says of the wait, in the form `text`. */
export function waitHint({ form, wait }: Wait): string {
  return form === 'text' ? ` Please try again in ${wait < 1000 ? `${wait}ms` : `${wait / 1000}s`}.` : ''
}
