import type { CompiledResource, CompiledRule, ResourceKey } from '../../api/compiled.ts'
import { CAPABILITIES } from '../../api/protocol.ts'
import { digest } from '../../core/digest.ts'
import type { Referred } from './endpoint.ts'
import { matchWords } from './match.ts'
import type { RouteResult } from './route.ts'

/** The words of `CAPABILITIES` that a sidecar must know to do what a rule says; that it injects no faults, tells nothing of what becomes of requests, mirrors none, or has no experiment, harms nobody, and costs it no rule. */
export function requirements(rule: CompiledRule, endpoints: readonly Referred[]): readonly string[] {
  const words = new Set([`strategy:${rule.strategy.type}`])
  const conditions = [...rule.matches, ...(rule.adjust ?? []).map(({ when }) => when)]
  for (const word of conditions.flatMap(matchWords)) words.add(word)
  if (rule.adjust) words.add('adjust')
  if (rule.sticky) words.add('sticky:header')
  if (rule.onUnsupported) words.add('onUnsupported')
  if (rule.rescue) words.add('rescue')
  if (rule.hedge) words.add('hedge')
  if (rule.feedback) words.add('feedback')
  if (rule.speculate) words.add('speculate')
  if (rule.audit) words.add('audit')
  if (rule.gate) {
    words.add('gate')
    if (rule.gate.learned) words.add('gate:learned')
    for (const { type } of rule.gate.checks) words.add(`check:${type}`)
  }
  for (const { provider } of endpoints) words.add(`provider:${provider}`)
  const list = [...words]
  const known = lists.get(list.join())
  if (!known) lists.set(list.join(), list)
  return known ?? list
}

/** There are few different lists, and a route has one for each rule. */
const lists = new Map<string, readonly string[]>()

/** Which of this operator's words a sidecar does not know: nothing for one of the same age. */
export function lacking(capabilities: readonly string[]): readonly string[] {
  return CAPABILITIES.filter((word) => !capabilities.includes(word))
}

/** What a rule can do without. */
const PLAIN = ['faults', 'evidence', 'mirror', 'experiment'] as const

function without(rule: CompiledRule, lacks: readonly string[]): CompiledRule {
  const { faults, evidence, mirror, experiment, ...rest } = rule
  return {
    ...rest,
    ...(faults && !lacks.includes('faults') ? { faults } : {}),
    ...(evidence && !lacks.includes('evidence') ? { evidence } : {}),
    ...(mirror && !lacks.includes('mirror') ? { mirror } : {}),
    ...(experiment && !lacks.includes('experiment') ? { experiment } : {}),
  }
}

const variants = new WeakMap<CompiledResource, Map<string, CompiledResource | undefined>>()

/**
 * A route as a sidecar can do it that lacks some words: without just the rules that need them; undefined where none is left. What the
 * rules withheld would have answered goes to those that follow, as if they were not written.
 */
export function routeFor(
  route: Pick<RouteResult, 'resource' | 'body' | 'requires'>,
  lacks: readonly string[],
): CompiledResource | undefined {
  const plain = PLAIN.some((word) => lacks.includes(word) && route.body.rules.some((rule) => rule[word]))
  if (withheld(route, lacks).length === 0 && !plain) return route.resource
  const known = variants.get(route.resource) ?? new Map<string, CompiledResource | undefined>()
  variants.set(route.resource, known)
  const signature = lacks.join(' ')
  if (!known.has(signature)) {
    const able = route.body.rules.filter((_, i) => !route.requires[i]?.some((word) => lacks.includes(word)))
    const rules = plain ? able.map((rule) => without(rule, lacks)) : able
    const body = { ...route.body, rules }
    known.set(signature, rules.length === 0 ? undefined : { digest: digest(body), body })
  }
  return known.get(signature)
}

/** The names of the rules that such a sidecar cannot do. */
export function withheld(route: Pick<RouteResult, 'body' | 'requires'>, lacks: readonly string[]): readonly string[] {
  if (lacks.length === 0) return []
  return route.body.rules
    .filter((_, i) => route.requires[i]?.some((word) => lacks.includes(word)))
    .map(({ name }) => name)
}

/** Whether a sidecar that lacks some words can take a resource at all: not an endpoint of a provider that it does not know, nor what it has no kind for. */
export function takes(key: ResourceKey, body: CompiledResource['body'], lacks: readonly string[]): boolean {
  if (key.startsWith('artefact/') && lacks.includes('artefact')) return false
  return !(key.startsWith('endpoint/') && 'provider' in body && lacks.includes(`provider:${body.provider.type}`))
}
