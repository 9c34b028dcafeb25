import { canonical } from '../digest.ts'
import { agreement } from '../gate/agreement.ts'
import type { Said } from '../gate/said.ts'

/**
 * Whether two answers to the same request come to the same, 1 or 0; undefined where nobody could say. Tool calls: the same functions with the same
 * arguments, in any order. JSON: the same value. Refusals: both refuse. Else the same text, or the same short answer that it comes to (`core/gate/agreement.ts`).
 */
export function alike(one: Said, other: Said): number | undefined {
  if (one.calls.length > 0 || other.calls.length > 0) return same(callsOf(one), callsOf(other))
  if (refuses(one) || refuses(other)) return same(`${refuses(one)}`, `${refuses(other)}`)
  // It was cut by its bound on tokens: what it would have come to is not known.
  if (one.finish === 'length' || other.finish === 'length' || one.media || other.media) return undefined
  const [value, another] = [jsonOf(one.text), jsonOf(other.text)]
  if (value !== undefined || another !== undefined) return same(value ?? '', another ?? '')
  if (one.text.trim() === other.text.trim()) return 1
  return agreement(one.text, [other.text])
}

const same = (a: string, b: string): number => (a === b ? 1 : 0)

const refuses = ({ refusal, finish }: Said): boolean => refusal !== '' || finish === 'content_filter'

function callsOf({ calls }: Said): string {
  const each = calls.map((call) => `${call.name} ${jsonOf(call.arguments) ?? call.arguments}`)
  return each.sort().join('\n')
}

/** The object or array that a text is, in canonical form; undefined where it is none. */
function jsonOf(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return canonical(JSON.parse(text))
  } catch {
    return undefined
  }
}
