import { LRUCache } from 'lru-cache'

const known = new LRUCache<string, object>({ max: 2000 })
/** Characters of JSON: what is larger is hardly ever said twice. */
const LARGEST = 200

/**
 * A parsed value whose small parts are those of values before it where they are equal: ten thousand routes say the same of retries, and
 * what is written by hand or by default in each of them is kept once. Nothing that comes out may be changed.
 */
export function shared<T>(value: T): T {
  return share(value).value as T // with the same content
}

function share(value: unknown): { readonly value: unknown; readonly text: string } {
  if (value === null || typeof value !== 'object') return { value, text: JSON.stringify(value) ?? '' }
  const parts = Object.entries(value).map(([name, inner]) => [name, share(inner)] as const)
  const whole = Array.isArray(value)
    ? parts.map(([, part]) => part.value)
    : Object.fromEntries(parts.map(([name, part]) => [name, part.value]))
  const inner = parts
    .map(([name, { text }]) => (Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`))
    .join()
  const text = Array.isArray(value) ? `[${inner}]` : `{${inner}}`
  if (text.length > LARGEST) return { value: whole, text }
  const before = known.get(text)
  if (before) return { value: before, text }
  known.set(text, whole)
  return { value: whole, text }
}
