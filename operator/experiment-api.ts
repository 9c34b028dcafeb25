import type { ExperimentView } from './experiments.ts'

/** Where the operator, and a local run on its admin port, tell of experiments. */
export const EXPERIMENTS_PATH = '/v1/experiments'

/** The experiments of a namespace, or all. */
export function experimentsOf(
  engine: { views(): readonly ExperimentView[] },
  namespace: string | undefined,
): { readonly experiments: readonly ExperimentView[] } {
  return {
    experiments: engine.views().filter(({ route }) => namespace === undefined || route.startsWith(`${namespace}/`)),
  }
}
