import type { GatedAnswer } from '../learning/gate-features.ts'
import { gateFeatures } from '../learning/gate-features.ts'
import { GATES, keeps, readGates } from '../learning/gates.ts'
import type { TrainedGate } from '../learning/gates.ts'
import { ArtefactError } from '../learning/artefact-error.ts'
import type { TextRule } from '../learning/text.ts'
import type { Loaded } from '../strategies/strategy.ts'
import type { Finding } from './facts.ts'
import type { Said } from './said.ts'

/** What an artefact's gates say of answers, or why there are none. */
export type Learned = Taught | { readonly fault: string }

interface Taught {
  readonly gates: readonly TrainedGate[]
  /** The text of a request that the gates were trained on. */
  readonly textRule: TextRule
  /** The highest P(wrong) that is good enough; undefined: as certified. */
  readonly threshold: number | undefined
}

/** Reads the gates of an artefact. What does not load is no fault of the configuration: nothing cheap is trusted then. */
export function learned(loaded: Loaded, threshold: number | undefined): Learned {
  if ('fault' in loaded) return loaded
  const section = loaded.artefact.sections.get(GATES)
  if (!section) return { fault: 'the artefact has no gates' }
  try {
    return { gates: readGates(section), textRule: loaded.artefact.textRule, threshold }
  } catch (error) {
    if (error instanceof ArtefactError) return { fault: error.message }
    throw error
  }
}

/** The gate for a model's answers: best one that compares them with those of the model that is asked besides. Undefined: none was trained. */
export function gateFor({ gates }: Taught, weak: string, second: string | undefined): TrainedGate | undefined {
  const own = gates.filter((gate) => gate.weak === weak && (gate.second === undefined || gate.second === second))
  return own.find((gate) => gate.second !== undefined) ?? own[0]
}

/** One answer, and what it is held to. */
interface Judged {
  readonly gate: TrainedGate
  readonly threshold: number | undefined
  /** The text of the request, by the rule that the artefact was trained by. */
  readonly prompt: string
  readonly said: Said
  /** Another model's answer, where the gate compares. */
  readonly second: string | undefined
  /** The segment of the request: its task. */
  readonly segment: string
  /** Milliseconds since the epoch. */
  readonly wall: number
}

/** What the gate finds; the score is P(wrong). */
export function judgeLearned({ gate, threshold, prompt, said, second, segment, wall }: Judged): Finding {
  const answer: GatedAnswer = { text: said.text, finishReason: said.finish, logprobs: said.logprobs }
  const features = gateFeatures(prompt, answer, second === undefined ? undefined : { text: second })
  const { wrong, keep, threshold: certified } = keeps(gate, segment, features, wall)
  const failed = threshold === undefined ? !keep : wrong > threshold
  const detail = threshold === undefined && certified === Infinity ? 'nothing is certified' : 'it is probably wrong'
  return { check: 'Learned', failed, ...(failed ? { detail } : {}), score: wrong }
}
