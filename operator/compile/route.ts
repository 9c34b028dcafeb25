import type { CompiledResource, CompiledRoute, CompiledRule, ResourceKey } from '../../api/compiled.ts'
import type { ModelRoute, ModelRouteSpec } from '../../api/model-route.ts'
import { fullName } from '../../api/resource.ts'
import type { LabelSelector } from '../../api/selector.ts'
import type { InForce } from '../../core/rollout/in-force.ts'
import type { Json } from '../../core/dialects/dialect.ts'
import { milliseconds } from '../../core/schema.ts'
import { strategy } from '../../core/strategies/index.ts'
import type { World } from '../world.ts'
import type { Fault } from './addresses.ts'
import type { CompileOptions, Referred } from './endpoint.ts'
import { assignedTo } from './experiment.ts'
import { compileFaults, NOT_ALLOWED } from './faults.ts'
import { compileCaller, compileMatch } from './match.ts'
import { artefactFault, artefactsOf } from './artefacts.ts'
import { compileGate } from './gate.ts'
import { compileMirror } from './mirror.ts'
import { resolve } from './references.ts'
import type { Resolved } from './references.ts'
import { keyOf, resource } from './resource.ts'
import { sharedOut } from './rollout.ts'
import { requirements } from './skew.ts'

type Rule = ModelRouteSpec['rules'][number]

/** A target that does not resolve. */
export interface Unresolved extends Fault {
  readonly rule: string
  /** The field, `spec.rules[0].targets[1].endpoint`. */
  readonly path: string
}

/** What becomes of one ModelRoute. */
export interface RouteResult {
  readonly name: string
  readonly namespace: string
  readonly generation: number
  readonly uid: string
  readonly resource: CompiledResource
  readonly body: CompiledRoute
  /** Which pods of the namespace get it; undefined: all. */
  readonly selector: LabelSelector | undefined
  /** Everything that such a sidecar needs for it, the route itself first. */
  readonly keys: readonly ResourceKey[]
  readonly unresolved: readonly Unresolved[]
  /** Parts that the operator does not allow, and that are left out. */
  readonly disallowed: readonly Unresolved[]
  /** What of rollouts it has in it, by rule. */
  readonly rollouts: ReadonlyMap<string, InForce>
  /** What a sidecar must understand for each rule, words of `CAPABILITIES`. */
  readonly requires: readonly (readonly string[])[]
  /** The endpoints that it refers to, there or not, `namespace/name`. */
  readonly refersTo: readonly string[]
  /** The artefacts that it refers to, there or not, `namespace/name`. */
  readonly artefacts: readonly string[]
  /** Its own resources besides itself: those artefacts. */
  readonly extra: ReadonlyMap<ResourceKey, CompiledResource>
}

/** Compiles a route. Pure; `endpoints` gives what a name refers to. Its resource is that of `before` where nothing differs. */
export function compileRoute(
  route: ModelRoute,
  endpoints: (name: string) => Referred | undefined,
  {
    namespaces,
    artefacts,
    rollouts,
    experiments,
  }: Pick<World, 'namespaces' | 'artefacts' | 'rollouts' | 'experiments'>,
  before: RouteResult | undefined,
  { allowFaults = true }: Pick<CompileOptions, 'allowFaults'> = {},
): RouteResult {
  const { metadata, spec } = route
  const { namespace } = metadata
  const unresolved: Unresolved[] = []
  const disallowed: Unresolved[] = []
  const refersTo = new Set<string>()
  const needed = new Set<ResourceKey>([keyOf('route', fullName(metadata))])
  const requires: (readonly string[])[] = []
  const artefactsUsed = new Set<string>()
  const extra = new Map<ResourceKey, CompiledResource>()
  const decided = rollouts?.get(fullName(metadata)) ?? []
  const inForce = new Map<string, InForce>()

  const rules = spec.rules.map((rule, i): CompiledRule => {
    const name = rule.name ?? `${i}`
    const used: Referred[] = []
    const refer = (reference: Parameters<typeof resolve>[0], path: string): Resolved => {
      const resolved = resolve(reference, namespace, endpoints, namespaces)
      refersTo.add(resolved.name)
      if (resolved.endpoint) used.push(resolved.endpoint)
      if (resolved.fault) unresolved.push({ ...resolved.fault, rule: name, path: `spec.rules[${i}].${path}` })
      for (const key of resolved.endpoint?.keys ?? []) needed.add(key)
      return resolved
    }
    const targets = rule.targets.map(({ endpoint, weight, priority }, j) => {
      const { name: target, model, fault } = refer(endpoint, `targets[${j}].endpoint`)
      return { endpoint: target, model, weight, priority, ...(fault ? { unavailable: fault } : {}) }
    })
    const { rollout } = rule
    const of = decided.find((it) => it.rule === name)
    const shared = rollout && sharedOut({ ...rule, rollout }, targets, namespace, of)
    if (shared?.inForce) inForce.set(name, shared.inForce)
    const { experiment } = rule
    const tried = experiments?.get(fullName(metadata))?.find((it) => it.rule === name)
    const assigned = experiment && assignedTo({ ...rule, experiment }, targets, metadata, tried)
    const gate = rule.gate && compileGate(rule.gate, refer)
    const audit = rule.audit && auditOf(rule.audit, refer)
    const mirror = rule.mirror && compileMirror(rule.mirror, refer)
    if (rule.faults && !allowFaults) disallowed.push({ ...NOT_ALLOWED, rule: name, path: `spec.rules[${i}].faults` })
    const faults = allowFaults && rule.faults ? compileFaults(rule.faults, namespace) : undefined
    const plain = body(rule, namespace)
    const compiled = {
      ...plain,
      ...(gate ? { gate } : {}),
      ...(audit ? { audit } : {}),
      ...(mirror ? { mirror } : {}),
      ...(faults ? { faults } : {}),
      ...(shared?.adjust.length ? { adjust: [...(plain.adjust ?? []), ...shared.adjust] } : {}),
      ...(shared?.evidence ? { evidence: shared.evidence } : {}),
      ...(assigned?.experiment ? { experiment: assigned.experiment } : {}),
      ...(assigned?.evidence ? { evidence: assigned.evidence } : {}),
      name,
      targets: shared?.targets ?? assigned?.targets ?? targets,
    }
    for (const { path, name: own } of artefactsOf(compiled)) {
      const full = `${namespace}/${own}`
      const fault = artefactFault(full, artefacts.get(full))
      artefactsUsed.add(full)
      if (fault) unresolved.push({ ...fault, rule: name, path: `spec.rules[${i}].${path}` })
      const { data } = artefacts.get(full) ?? {}
      if (data === undefined) continue
      const key = keyOf('artefact', full)
      needed.add(key)
      extra.set(key, resource({ artefact: data }, before?.extra.get(key)))
    }
    requires.push(requirements(compiled, used))
    return compiled
  })
  const compiled: CompiledRoute = {
    name: fullName(metadata),
    generation: metadata.generation ?? 0,
    created: metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp),
    selective: spec.workloads !== undefined,
    models: spec.models ?? [],
    ...compileCaller(spec.caller, spec.tasks),
    requestTimeout: milliseconds(spec.timeouts.request),
    ...(spec.decisions ? { decisions: spec.decisions } : {}),
    rules,
  }
  const made = resource(compiled, before?.resource)
  return {
    name: compiled.name,
    namespace,
    generation: compiled.generation,
    uid: metadata.uid ?? '',
    resource: made,
    body: compiled,
    selector: spec.workloads?.selector,
    keys: [...needed],
    unresolved,
    disallowed,
    rollouts: inForce,
    requires,
    refersTo: [...refersTo],
    artefacts: [...artefactsUsed],
    extra,
  }
}

/** How a rule is audited. Not at all where its judge does not resolve: by anything else it would find something else. */
function auditOf(
  { judge, ...rest }: NonNullable<Rule['audit']>,
  refer: (reference: Parameters<typeof resolve>[0], path: string) => Resolved,
): CompiledRule['audit'] {
  if (!judge) return rest
  const by = refer(judge.endpoint, 'audit.judge.endpoint')
  if (by.fault) return undefined
  const { prompt } = judge
  return {
    ...rest,
    judge: { by: { endpoint: by.name, model: by.model }, ...(prompt === undefined ? {} : { prompt }) },
  }
}

type Adjustment = NonNullable<Rule['adjust']>[number]

interface Named {
  readonly name: string
  readonly namespace?: string
  readonly model?: string
}

function adjustmentOf(adjustment: Adjustment, own: string): NonNullable<CompiledRule['adjust']>[number] {
  const some = ({ name, namespace = own, model }: Named) => ({
    endpoint: `${namespace}/${name}`,
    ...(model === undefined ? {} : { model }),
  })
  const { when, boost, allow, deny, pin, ...terms } = adjustment
  return {
    when: compileMatch(when),
    ...terms,
    ...(boost ? { boost: boost.map(({ by, ...named }) => ({ ...some(named), by })) } : {}),
    ...(allow ? { allow: allow.map(some) } : {}),
    ...(deny ? { deny: deny.map(some) } : {}),
    ...(pin ? { pin: some(pin) } : {}),
  }
}

/** The strategy with its own settings, whatever they are called. */
function strategyOf({ type, ...members }: Rule['strategy']): CompiledRule['strategy'] {
  const name = strategy(type).settings?.name
  const settings = name === undefined ? undefined : (members as Json)[name] // the schema has it an object
  return { type, ...(settings === undefined ? {} : { settings: settings as Json }) }
}

function feedbackOf({ upgrade, implicit = [] }: NonNullable<Rule['feedback']>): CompiledRule['feedback'] {
  const within = milliseconds(upgrade.for)
  const { halfLife, bar, similar, nearness } = upgrade
  return {
    within,
    halfLife: halfLife === undefined ? 5 * within : milliseconds(halfLife),
    bar,
    similar,
    nearness,
    implicit,
  }
}

function body(rule: Rule, namespace: string): Omit<CompiledRule, 'name' | 'targets'> {
  return {
    matches: (rule.matches ?? []).map(compileMatch),
    strategy: strategyOf(rule.strategy),
    ...(rule.adjust ? { adjust: rule.adjust.map((each) => adjustmentOf(each, namespace)) } : {}),
    ...(rule.sticky ? { sticky: { header: rule.sticky.header.toLowerCase() } } : {}),
    retry: rule.retry,
    fallback: rule.fallback,
    ...(rule.rescue.mode === 'Stream' ? {} : { rescue: { mode: rule.rescue.mode } }),
    ...(rule.hedge
      ? {
          hedge: {
            percent: rule.hedge.percent,
            ...(rule.hedge.after === undefined ? {} : { after: milliseconds(rule.hedge.after) }),
          },
        }
      : {}),
    ...(rule.speculate ? { speculate: { ...rule.speculate.band, percent: rule.speculate.percent } } : {}),
    ...(rule.feedback ? { feedback: feedbackOf(rule.feedback) } : {}),
    onUnavailable: rule.onUnavailable,
    ...(rule.onUnsupported === 'Fail' ? { onUnsupported: 'Fail' as const } : {}),
  }
}
