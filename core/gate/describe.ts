import type { Rule } from '../target.ts'

/** What becomes of a rule's answers, one sentence; undefined where it has no gate. */
export function describeGate({ gate, targets }: Rule): string | undefined {
  if (!gate) return undefined
  const by = [
    ...gate.checks.map(({ type }) => type),
    ...(gate.logprobs ? ['LogProbs'] : []),
    ...(gate.learned ? ['Learned'] : []),
    ...(gate.agreement ? ['Agreement'] : []),
    ...(gate.judge ? [`Judge (${gate.judge.percent} %)`] : []),
  ].join(', ')
  const lowest = Math.min(...targets.map(({ rank }) => rank))
  const stronger = targets
    .filter(({ rank, weight }) => rank > lowest && weight > 0)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ id, rank }) => `${id} (rank ${rank})`)
  const examined = `Answers are examined (${gate.mode}) by ${by}`
  if (gate.mode === 'Audit') return `${examined}, for the record alone.`
  if (stronger.length === 0) return `${examined}; no target is stronger than another, so that nobody is asked instead.`
  const most = gate.maxEscalations === 1 ? '1 stronger target is' : `${gate.maxEscalations} stronger targets are`
  return `${examined}; where one is wanting, at most ${most} asked, in this order: ${stronger.join(', ')}.`
}
