import type { CompiledRule } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import { ArtefactError } from '../../core/learning/artefact-error.ts'
import { readArtefact } from '../../core/learning/artefact.ts'
import { Guard } from '../../core/learning/guard.ts'
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

/** Why an artefact is of no use to the sidecars, which ask the strongest target where it does not load. */
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
  const wrong = wrongWith(found, found.data)
  return wrong === undefined
    ? undefined
    : {
        reason: REASONS.artefactInvalid,
        message: `ConfigMap ${name} holds an artefact that does not load: ${wrong}. Requests go to the strongest target; put the one before it back, or train it anew.`,
      }
}

/** One that has been looked into is not looked into again. */
const known = new WeakMap<ArtefactView, string | undefined>()

function wrongWith(view: ArtefactView, data: string): string | undefined {
  if (!known.has(view)) known.set(view, load(data))
  return known.get(view)
}

function load(data: string): string | undefined {
  try {
    Guard.of(readArtefact(Buffer.from(data, 'base64')))
    return undefined
  } catch (error) {
    if (error instanceof ArtefactError) return error.message
    throw error
  }
}
