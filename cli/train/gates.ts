import { CERTIFY_DEFAULTS } from '../../core/learning/certificate.ts'
import type { GateRow, TrainedGate } from '../../core/learning/gates.ts'
import { trainGate } from '../../core/learning/gates.ts'
import type { TrainingRow } from './rows.ts'

interface GatesOptions {
  readonly strong: string
  readonly weak: readonly string[]
  /** Whose answers are compared with those of each cheap model, in a gate besides. */
  readonly second: string | undefined
  readonly field: string
  readonly bar: number
  readonly retain: number
  readonly delta: number
  /** YYYY-MM-DD. */
  readonly issued: string
}

/** With fewer answers to learn from a gate is noise. */
const LEAST = 200

/**
 * Gates for the answers of each cheap model whose words the rows have: one that reads them alone, and one that compares them with the second model's. `delta` is shared
 * among the cheap models, as it is for the certificates of heads.
 */
export function gatesOf(
  parts: Readonly<Record<'taught' | 'held' | 'certify', readonly TrainingRow[]>>,
  { strong, weak, second, ...options }: GatesOptions,
): readonly TrainedGate[] {
  return weak.flatMap((model) =>
    [undefined, second === model ? undefined : second]
      .filter((other, at) => at === 0 || other !== undefined)
      .flatMap((other) => {
        const of = (rows: readonly TrainingRow[]): readonly GateRow[] =>
          rows.flatMap((row) => gateRow(row, model, strong, other))
        const taught = of(parts.taught)
        if (taught.length < LEAST) return []
        return trainGate(taught, of(parts.held), of(parts.certify), {
          ...CERTIFY_DEFAULTS,
          ...options,
          delta: options.delta / weak.length,
          models: { weak: model, strong, second: other },
        })
      }),
  )
}

/** A row as a gate learns from it; none where a quality or words are missing. */
function gateRow(
  { text, segment, quality, answers }: TrainingRow,
  weak: string,
  strong: string,
  second: string | undefined,
): readonly GateRow[] {
  const [answer, other] = [answers.get(weak), second === undefined ? undefined : answers.get(second)]
  const [w, s] = [quality.get(weak), quality.get(strong)]
  if (answer === undefined || w === undefined || s === undefined || (second !== undefined && other === undefined))
    return []
  return [
    {
      text,
      segment,
      answer: { text: answer },
      second: other === undefined ? undefined : { text: other },
      weak: w,
      strong: s,
    },
  ]
}
