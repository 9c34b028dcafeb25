import type { CompiledRule } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import { strategy } from '../../core/strategies/index.ts'
import { ARTEFACT_KEY, ARTEFACT_LABEL } from '../world.ts'
import type { ArtefactView } from '../world.ts'
import type { Fault } from './addresses.ts'

/** A trained artefact that a rule names, and where it does; the path is within the rule. */
export interface ArtefactUse {
  readonly path: string
  readonly name: string
}

/** The artefacts that a rule refers to, ConfigMaps of the route's own namespace. */
export function artefactsOf({ strategy: { type, settings = {} }, gate }: CompiledRule): readonly ArtefactUse[] {
  const of = strategy(type)
  const name = of.artefact?.(settings)
  return [
    ...(name === undefined ? [] : [{ path: `strategy.${of.settings?.name}.artefact`, name }]),
    ...(gate?.learned ? [{ path: 'gate.learned.artefact', name: gate.learned.artefact }] : []),
  ]
}

/** Why an artefact cannot go to the sidecars; they look into it themselves, and ask the strongest target where it does not load. */
export function artefactFault(name: string, found: ArtefactView | undefined): Fault | undefined {
  const label = `${ARTEFACT_LABEL.name}: ${ARTEFACT_LABEL.value}`
  if (!found)
    return {
      reason: REASONS.artefactNotFound,
      message: `ConfigMap ${name} does not exist, or does not carry the label ${label}; requests go to the strongest target until it does.`,
    }
  if (found.data === undefined)
    return {
      reason: REASONS.artefactNotFound,
      message: `ConfigMap ${name} has no binaryData.${ARTEFACT_KEY}; \`tradewind train\` writes one that has. Requests go to the strongest target until then.`,
    }
  return undefined
}
