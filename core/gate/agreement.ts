import { answerKey } from '../learning/answer-key.ts'

/**
 * What part of some other answers comes to the same as one, 0…1; undefined where that one comes to nothing short that could be compared, or
 * no other came.
 *
 * Wang et al., Self-Consistency Improves Chain of Thought Reasoning (ICLR 2023): answers that many ways lead to are right more often.
 */
export function agreement(answer: string, others: readonly string[]): number | undefined {
  const key = answerKey(answer)
  if (key === '' || others.length === 0) return undefined
  return others.filter((other) => answerKey(other) === key).length / others.length
}

/** Whether that is enough: with two answers both are the same, with three two of them are. */
export const agrees = (share: number): boolean => share >= 0.5
