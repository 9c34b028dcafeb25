import type { Out } from '../decide/out.ts'
import type { Json } from '../dialects/dialect.ts'
import { ArtefactError } from '../learning/artefact-error.ts'
import { artefactReference } from '../learning/artefact-reference.ts'
import type { Artefact } from '../learning/artefact.ts'
import { Guard } from '../learning/guard.ts'
import type { StrongReason } from '../learning/guard.ts'
import type { Guards } from '../learning/guards.ts'
import { segmentOf } from '../signals/segment.ts'
import { array, choice, object, optional, string } from '../schema.ts'
import { floorOf, objective, objectiveRules, termsOf } from './least-cost.ts'
import type { Choosable, Comparison, Preference, Strategy } from './strategy.ts'

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
        artefact: artefactReference,
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
        promises: choice(['Keep', 'Ignore'], {
          default: 'Keep',
          description:
            'Keep: a cheaper model answers only where the artefact has a certificate for it that holds, and the request is like those it was certified for. Ignore: the learnt quality alone decides; so it does where the artefact promises nothing.',
        }),
        ...objective,
      },
      { description: 'Of strategy Classifier.', rules: objectiveRules },
    ),
  },
  artefact: ({ artefact }) => (artefact as { readonly name: string }).name, // the schema has it
  weighs: () => true,
  make: ({ targets, settings, wall, artefact: loaded, guards }) => {
    const trained = loaded && 'artefact' in loaded ? guarded(loaded.artefact, settings, guards) : undefined
    if (!trained) return ({ outs }) => strongest(targets, outs)
    const { artefact, guard } = trained
    const names = headNames(targets, settings)
    const heads = names.map((name) => artefact.models.indexOf(name))
    const terms = termsOf(settings)
    const floor = floorOf(settings)
    const version = artefact.hash
    return ({ signals, outs }) => {
      if (!signals) return strongest(targets, outs)
      const text = signals.textBy(artefact.textRule)
      const known = artefact.quality(text)
      const quality = heads.map((head) => (head < 0 ? Number.NaN : (known[head] ?? Number.NaN)))
      const preference = { reason: 'classifier' as const, terms, floor, quality, version }
      if (!guard) return preference
      const segment = segmentOf(guard.field, signals)
      const allowed = guard.route(segment, text, known, wall())
      const { model, reason, score, weak, audit } = allowed
      const promised = (name: string) => name === model || name === guard.strong
      return {
        ...preference,
        reason: reason ? (REASONS[reason] ?? 'uncertified') : 'classifier',
        confidence: score,
        audit: audit && comparison(guard, targets, names, { kind: audit, version, segment, weak, score }),
        outs: names.map((name) => (promised(name) ? undefined : notPromised(reason))),
      }
    }
  },
} as const satisfies Strategy

/** What would tell whether a promise holds: of a request that stays cheap also the strong answer; of one that is novel also the cheap answer, to be learnt from. */
function comparison<T>(
  guard: Guard,
  targets: readonly T[],
  names: readonly string[],
  asked: Pick<Comparison<T>, 'kind' | 'version' | 'segment' | 'score'> & { readonly weak: string | undefined },
): Comparison<T> | undefined {
  const { kind, version, segment, score } = asked
  const of = (name: string | undefined) => targets[names.findIndex((each) => each === name)]
  const [weak, strong] = [of(asked.weak), of(guard.strong)]
  if (!weak || !strong) return undefined
  const [own, other] = kind === 'kept' ? [weak, strong] : [strong, weak]
  // The promise is about requests that stay cheap.
  const heard = (mine: number, others: number) =>
    kind === 'kept' ? guard.audited(segment, score, others - mine) : undefined
  return { kind, version, segment, score, own, other, heard }
}

/** What an artefact promises, unless the rule does not care. Undefined where it does not say so in a way that can be read. */
function guarded(
  artefact: Artefact,
  { promises }: Json,
  guards: Guards | undefined,
): { readonly artefact: Artefact; readonly guard: Guard | undefined } | undefined {
  if (promises === 'Ignore') return { artefact, guard: undefined }
  try {
    return { artefact, guard: guards ? guards.of(artefact) : Guard.of(artefact) }
  } catch (error) {
    if (error instanceof ArtefactError) return undefined
    throw error
  }
}

/** Why the strong model answers, in the words of `x-tradewind-reason`. */
const REASONS: Readonly<Record<StrongReason, Preference<never>['reason']>> = {
  uncertified: 'uncertified',
  novel: 'novel',
  unsure: 'unsure',
  alarmed: 'alarmed',
  expired: 'expired',
  'scores-shifted': 'scores_shifted',
  'prompts-shifted': 'prompts_shifted',
}

/** What is said of a target, after its name or "it". */
const WORDS: Readonly<Record<StrongReason, string>> = {
  uncertified: 'is not certified for such requests',
  novel: 'is not certified for requests so unlike those that it was trained and certified on',
  unsure: 'is not likely enough to do, by the classifier',
  alarmed: 'has lost more than was promised, as audits have shown',
  expired: 'has a certificate that has expired',
  'scores-shifted': 'is not certified for requests that score like those of late',
  'prompts-shifted': 'is not certified for requests like those of late',
}
const notPromised = (reason: StrongReason | undefined): Out => ({
  code: 'not_promised',
  detail: reason ? WORDS[reason] : 'is not the cheap model that is promised to be good enough',
})

/** The head that speaks of each target: by the name of its model, or as the settings have it; empty where it has none. */
function headNames(targets: readonly (Choosable & Modelled)[], settings: Json): readonly string[] {
  const given = (settings['heads'] ?? []) as readonly { readonly model: string; readonly head: string }[] // of the schema
  return targets.map(({ model }) => given.find((each) => each.model === model?.name)?.head ?? model?.name ?? '')
}

/** The strongest that can be asked goes first, since nothing tells what a cheap one is good for; the others follow by rank. */
function strongest<T extends Choosable>(targets: readonly T[], outs?: readonly (Out | undefined)[]): Preference<T> {
  const able = targets.filter((target, index) => !outs?.[index] && target.available() > 0)
  const [first] = (able.length > 0 ? able : targets).toSorted((a, b) => b.rank - a.rank)
  return { reason: 'no_artefact', first }
}
