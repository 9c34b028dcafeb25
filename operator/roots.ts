import { lifetime, type KeyPair } from './certificates.ts'

/**
 * The roots that sidecars and the API server trust. A new root is published (`next`) before it signs, and the one before
 * (`previous`) stays trusted for as long after: no connection meets a certificate that it cannot check.
 */
export interface Roots {
  /** Signs. */
  readonly current: KeyPair
  /** Will sign; `published`: since when everyone has been told, ms since the epoch. */
  readonly next?: KeyPair & { readonly published?: number }
  /** Signed until `replaced`. */
  readonly previous?: { readonly certificate: string; readonly replaced: number }
}

export interface Rotation {
  /** How long a root is good for, ms; a new one is announced when two thirds are over. */
  readonly validity: number
  /** How long two roots are trusted together before the new one signs, and again after, ms: longer than a mounted ConfigMap takes to renew. */
  readonly overlap: number
}

/** What is to be done next about the roots, if anything. */
export type Step = 'announce' | 'promote' | 'forget' | undefined

/** Decides the next step of a rotation. `asked`: somebody wants a new root now. */
export function nextStep(roots: Roots, asked: boolean, now: number, { validity, overlap }: Rotation): Step {
  const { next, previous } = roots
  if (previous && now >= previous.replaced + overlap) return 'forget'
  if (next) return next.published !== undefined && now >= next.published + overlap ? 'promote' : undefined
  return asked || now >= lifetime(roots.current.certificate).until - validity / 3 ? 'announce' : undefined
}

/** The roots after `promote`. */
export function promote(roots: Roots, now: number): Roots {
  const { current, next } = roots
  return next
    ? {
        current: { certificate: next.certificate, key: next.key },
        previous: { certificate: current.certificate, replaced: now },
      }
    : roots
}

/** Every trusted certificate, PEM, one after the other. */
export function bundle({ current, next, previous }: Roots): string {
  return [current, next, previous].map((it) => it?.certificate ?? '').join('')
}

/** The roots as the data of a Secret, base64 as the API has it. */
export function toSecret({ current, next, previous }: Roots): Record<string, string> {
  const text = {
    'tls.crt': current.certificate,
    'tls.key': current.key,
    'next.crt': next?.certificate,
    'next.key': next?.key,
    'next.published': next?.published?.toString(),
    'previous.crt': previous?.certificate,
    'previous.replaced': previous?.replaced.toString(),
  }
  return Object.fromEntries(
    Object.entries(text).flatMap(([key, value]) => (value === undefined ? [] : [[key, btoa(value)]])),
  )
}

/** Reads what `toSecret` wrote; undefined where a part that must be there is not. */
export function fromSecret(data: Readonly<Record<string, string>>): Roots | undefined {
  const text = (key: string) => (data[key] === undefined ? undefined : atob(data[key]))
  const pair = (name: string): KeyPair | undefined => {
    const [certificate, key] = [text(`${name}.crt`), text(`${name}.key`)]
    return certificate && key ? { certificate, key } : undefined
  }
  const current = pair('tls')
  if (!current) return undefined
  const [next, published] = [pair('next'), text('next.published')]
  const [previous, replaced] = [text('previous.crt'), text('previous.replaced')]
  return {
    current,
    ...(next ? { next: { ...next, ...(published ? { published: Number(published) } : {}) } } : {}),
    ...(previous && replaced ? { previous: { certificate: previous, replaced: Number(replaced) } } : {}),
  }
}
