import type { RolloutView } from '../../operator/rollouts.ts'
import { Failure } from '../failure.ts'

type Named = Pick<RolloutView, 'route' | 'rule'>

/** What the command line says of which rollouts are meant. */
export interface Which {
  /** All of them where it is left out. */
  readonly namespace: string | undefined
  readonly route: string | undefined
  readonly rule: string | undefined
}

/** Reads `ROUTE` or `NAMESPACE/ROUTE`. Throws `Failure` where both it and `-n` name a namespace, and not the same. */
export function which(name: string | undefined, given: { readonly namespace?: string; readonly rule?: string }): Which {
  const { namespace, rule } = given
  const [route = '', inside] = (name?.split('/') ?? []).toReversed()
  if (inside !== undefined && namespace !== undefined && inside !== namespace)
    throw new Failure(`${name} is in namespace ${inside}, and -n says ${namespace}: leave one of them out.`)
  return { namespace: inside ?? namespace, route: route || undefined, rule }
}

/** Those that are meant. */
export function chosen<T extends Named>(rollouts: readonly T[], { namespace, route, rule }: Which): readonly T[] {
  return rollouts
    .filter((it) => {
      const [at, name] = it.route.split('/')
      return (
        (namespace === undefined || namespace === at) &&
        (route === undefined || route === name) &&
        (rule === undefined || rule === it.rule)
      )
    })
    .sort((a, b) => (`${a.route}/${a.rule}` < `${b.route}/${b.rule}` ? -1 : 1))
}

/** The one that is meant. Throws `Failure` where there is none or more than one, and says how to name it. */
export function theOne(rollouts: readonly RolloutView[], wanted: Which): RolloutView {
  const [one, ...others] = chosen(rollouts, wanted)
  if (!one) throw new Failure(none(rollouts, wanted))
  if (others.length === 0) return one
  const all = [one, ...others]
  if (new Set(all.map(({ route }) => route)).size > 1)
    throw new Failure(`There is more than one: ${listed(all.map(({ route }) => route))}; name it as NAMESPACE/ROUTE.`)
  throw new Failure(
    `Route ${one.route} has rollouts in rules ${listed(all.map(({ rule }) => rule))}: name one by --rule.`,
  )
}

/** That there is none, and which there are. */
export function none(rollouts: readonly Named[], { namespace, route = '', rule }: Which): string {
  const what = `route ${namespace === undefined ? route : `${namespace}/${route}`}${rule === undefined ? '' : `, rule ${rule}`}`
  const there = rollouts.map((it) => `${it.route} (rule ${it.rule})`)
  const hint = there.length ? `There are: ${listed(there)}.` : 'There is none at all: a rule of a route says `rollout`.'
  return `There is no rollout of ${what}. ${hint}`
}

const listed = (words: readonly string[]): string =>
  words.length > 8 ? `${words.slice(0, 8).join(', ')} and ${words.length - 8} more` : words.join(', ')
