import { provider } from '../../core/providers/index.ts'
import type { ProviderType } from '../../core/providers/index.ts'
import { predicate } from '../../core/prices.ts'
import type { DatedPrices, PriceLists } from '../../core/prices.ts'
import { TABLE } from './table.ts'

interface Section {
  readonly provider: string
  /** `gen_ai.provider.name`. */
  readonly names: readonly string[]
  readonly url: RegExp
  /** Providers whose prices hold for models that it has none for. */
  readonly fallback: readonly string[]
  readonly models: PriceLists
}

/** What a compiled model says of its price. */
export interface Prices {
  readonly prices?: DatedPrices
  readonly priceLists?: PriceLists
}

/**
 * The prices of the table for a model of an endpoint; for `*` those of all models of the provider. The provider is who the URL belongs to,
 * else who its type names: prices are those of the host, and a mock of Anthropic at a loopback address costs what Anthropic would. Empty
 * where the table has none: servers of one's own, deployments with names of one's own.
 */
export function pricesOf(type: ProviderType, url: string, model: string): Prices {
  const section = sectionOf(type, url)
  if (!section) return {}
  const lists = [section, ...section.fallback.flatMap((id) => table().find((it) => it.provider === id) ?? [])]
  if (model === '*') return { priceLists: lists.flatMap(({ models }) => models) }
  for (const { models } of lists) {
    const found = models.find(({ match }) => fits(match, model))
    if (found) return { prices: found.prices }
  }
  return {}
}

function sectionOf(type: ProviderType, url: string): Section | undefined {
  const { genAi } = provider(type)
  return table().find((it) => it.url.test(url)) ?? table().find(({ names }) => names.includes(genAi))
}

const fits = (match: unknown, model: string): boolean => {
  let known = predicates.get(match)
  if (!known) predicates.set(match, (known = predicate(match)))
  return known(model)
}
const predicates = new Map<unknown, (name: string) => boolean>()

let read: readonly Section[] | undefined

/** Read when first asked for: an operator without endpoints needs none of it. */
function table(): readonly Section[] {
  return (read ??= sections())
}

function sections(): readonly Section[] {
  const found: (Omit<Section, 'models'> & { models: PriceLists[number][] })[] = []
  for (const line of TABLE.trim().split('\n')) {
    // Written by `tool/prices.ts`, and checked in full by the tests.
    const entry = JSON.parse(line) as
      | { provider: string; names: string[]; url: string; fallback: string[] }
      | PriceLists[number]
    if ('provider' in entry) found.push({ ...entry, url: new RegExp(entry.url), models: [] })
    else found.at(-1)?.models.push(entry)
  }
  return found
}
