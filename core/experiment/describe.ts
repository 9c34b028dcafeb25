import type { Experiment } from './assigned.ts'

/** Who is assigned to which arms, and to which of them a request is; one sentence. `arm`: undefined where it is of none. */
export function describeExperiment({ name, unit, arms, layer }: Experiment, arm: string | undefined): string {
  const total = arms.reduce((sum, { weight }) => sum + weight, 0)
  const shares = arms.map((it) => `${it.name} ${Number(((100 * it.weight) / total).toFixed(1))} %`).join(', ')
  const part = layer ? ` of ${layer.from} to ${layer.to} % of layer ${layer.name}` : ''
  if (unit === undefined) return `Experiment ${name} assigns each request${part} by itself: ${shares}.`
  const own = arm === undefined ? 'this request is of none' : `this one is of ${arm}`
  return `Experiment ${name} assigns units${part} by header ${unit} (${shares}): ${own}.`
}
