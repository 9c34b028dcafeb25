import type { Out } from '../decide/out.ts'
import type { Json } from '../dialects/dialect.ts'
import { array, object, optional, string } from '../schema.ts'
import { floorOf, objective, objectiveRules, termsOf } from './least-cost.ts'
import type { Choosable, Preference, Strategy } from './strategy.ts'

/** A target's own model, as artefacts name heads. */
interface Modelled {
  readonly model?: { readonly name: string }
}

/**
 * The cheapest that a trained classifier finds good enough for the request. What it knows is P(acceptable) for each model, calibrated; a
 * model that it has no head for has the quality that its manifest states. Where the artefact is missing or does not load, the strongest
 * target is asked: a router that cannot tell must not be cheap.
 */
export const classifier = {
  type: 'Classifier',
  picks: 'cheapest that will do',
  settings: {
    name: 'classifier',
    required: true,
    schema: object(
      {
        artefact: object(
          {
            name: string({
              maxLength: 253,
              minLength: 1,
              pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
              description: 'The ConfigMap, as `tradewind train` wrote it, in the route’s namespace.',
            }),
          },
          { description: 'What was trained.' },
        ),
        heads: optional(
          array(
            object(
              {
                model: string({ maxLength: 256, minLength: 1, description: 'The model of a target.' }),
                head: string({ maxLength: 256, minLength: 1, description: 'Its name in the training data.' }),
              },
              { description: 'One model.' },
            ),
            {
              maxItems: 16,
              minItems: 1,
              key: 'model',
              description: 'Which head of the artefact speaks of which model, where their names differ.',
            },
          ),
        ),
        ...objective,
      },
      { description: 'Of strategy Classifier.', rules: objectiveRules },
    ),
  },
  artefact: ({ artefact }) => (artefact as { readonly name: string }).name, // the schema has it
  weighs: () => true,
  make: ({ targets, settings, artefact: loaded }) => {
    if (!loaded || 'fault' in loaded) return () => strongest(targets, 'no_artefact')
    const { artefact } = loaded
    const heads = headsOf(targets, settings, artefact.models)
    const terms = termsOf(settings)
    const floor = floorOf(settings)
    return ({ signals, outs }) => {
      if (!signals) return strongest(targets, 'no_artefact', outs)
      const known = artefact.quality(signals.textBy(artefact.textRule))
      const quality = heads.map((head) => (head < 0 ? Number.NaN : (known[head] ?? Number.NaN)))
      return { reason: 'classifier', terms, floor, quality, version: artefact.hash }
    }
  },
} as const satisfies Strategy

/** The place of each target's head in the artefact; -1 for one without. */
function headsOf(
  targets: readonly (Choosable & Modelled)[],
  settings: Json,
  models: readonly string[],
): readonly number[] {
  const given = (settings['heads'] ?? []) as readonly { readonly model: string; readonly head: string }[] // of the schema
  return targets.map(({ model }) => {
    const name = given.find((each) => each.model === model?.name)?.head ?? model?.name
    return name === undefined ? -1 : models.indexOf(name)
  })
}

/** The strongest that can be asked goes first; the others follow by rank. */
function strongest<T extends Choosable>(
  targets: readonly T[],
  reason: 'no_artefact',
  outs?: readonly (Out | undefined)[],
): Preference<T> {
  const able = targets.filter((target, index) => !outs?.[index] && target.available() > 0)
  const [first] = (able.length > 0 ? able : targets).toSorted((a, b) => b.rank - a.rank)
  return { reason, first }
}
