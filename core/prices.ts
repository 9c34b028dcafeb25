import { priceOf, priceSchema } from './price.ts'
import type { Price } from './price.ts'
import { array, free, integer, object, optional } from './schema.ts'
import type { Static } from './schema.ts'

/**
 * The prices of an endpoint's models as they go down to the sidecars: the operator looks them up in its table, so that a sidecar has just
 * those that it needs.
 */

const second = integer({ minimum: 0, maximum: 86_400 })

/** A price, or several of which the last that holds at the time counts. Times are ms since the epoch and seconds of the UTC day. */
export const datedPrices = array(
  object({
    since: optional(integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    daily: optional(object({ from: second, to: second })),
    price: priceSchema,
  }),
  { minItems: 1, maxItems: 16 },
)

/** Where the caller names the model: the provider's whole list, each entry with the names that it is for. The first that fits counts. */
export const priceLists = array(object({ match: free({ maxProperties: 4 }), prices: datedPrices }), { maxItems: 4096 })

export type DatedPrices = Static<typeof datedPrices>
export type PriceLists = Static<typeof priceLists>

/** The price of a model by the name that went to the provider, at a time in ms since the epoch; undefined where there is none. */
export type Pricing = (model: string, wall: number) => Price | undefined

export const unpriced: Pricing = () => undefined

/** The pricing of a model whose prices are known. */
export function pricingOf(prices: DatedPrices): Pricing {
  const at = read(prices)
  return (_, wall) => at(wall)
}

/** More names than callers have use for; beyond them each is looked up anew. */
const MOST_NAMES = 1000

/** The pricing of `*`. */
export function pricingByName(lists: PriceLists): Pricing {
  const entries = lists.map(({ match, prices }) => ({ fits: predicate(match), at: read(prices) }))
  const seen = new Map<string, ((wall: number) => Price) | undefined>()
  return (model, wall) => {
    if (seen.has(model)) return seen.get(model)?.(wall)
    const at = entries.find(({ fits }) => fits(model))?.at
    if (seen.size < MOST_NAMES) seen.set(model, at)
    return at?.(wall)
  }
}

const DAY = 86_400_000

function read(dated: DatedPrices): (wall: number) => Price {
  const all = dated.map(({ since = 0, daily, price }) => ({ since, daily, price: priceOf(price) }))
  const [first] = all
  if (!first) throw new Error('a list of prices is empty')
  if (all.length === 1) return () => first.price
  return (wall) => {
    const time = (wall % DAY) / 1000
    const holds = ({ since, daily }: (typeof all)[number]) =>
      wall >= since &&
      (!daily ||
        (daily.from <= daily.to ? time >= daily.from && time < daily.to : time >= daily.from || time < daily.to))
    return (all.findLast(holds) ?? first).price
  }
}

/**
 * Which names an entry is for, as the price table has it: one of `equals`, `starts_with`, `ends_with`, `contains`, `regex`, or `or` and `and`
 * of a list of such. Throws where it is none.
 */
export function predicate(match: unknown): (name: string) => boolean {
  const [[kind, value] = ['', undefined]] = Object.entries(match ?? {})
  if (Array.isArray(value)) {
    const parts = value.map(predicate)
    if (kind === 'or') return (name) => parts.some((fits) => fits(name))
    if (kind === 'and') return (name) => parts.every((fits) => fits(name))
  }
  if (typeof value === 'string')
    switch (kind) {
      case 'equals':
        return (name) => name === value
      case 'starts_with':
        return (name) => name.startsWith(value)
      case 'ends_with':
        return (name) => name.endsWith(value)
      case 'contains':
        return (name) => name.includes(value)
      case 'regex': {
        const pattern = new RegExp(value)
        return (name) => pattern.test(name)
      }
    }
  throw new Error(`no way to match names: ${JSON.stringify(match)}`)
}
