import type { Finding, GatedAnswer } from './facts.ts'

/**
 * What the gate's findings say of the quality of answers, 0…1: 0 where an examiner failed it; else the judge's mark or the learned gate's
 * P(right), where there is one; else 1, since it passed. An answer that nobody could say anything of has none.
 */
export function judgedOf(answers: readonly GatedAnswer[]): readonly { target: string; reward: number }[] {
  return answers.flatMap(({ target, findings }) =>
    findings.length === 0 ? [] : [{ target, reward: rewardOf(findings) }],
  )
}

function rewardOf(findings: readonly Finding[]): number {
  if (findings.some(({ failed }) => failed)) return 0
  const judge = scoreOf(findings, 'Judge')
  if (judge !== undefined) return judge / 10
  const wrong = scoreOf(findings, 'Learned')
  return wrong === undefined ? 1 : 1 - wrong
}

const scoreOf = (findings: readonly Finding[], by: Finding['check']): number | undefined =>
  findings.find(({ check }) => check === by)?.score
