import { board } from './board/board.ts'
import type { Compiled } from './compile/index.ts'
import type { Experiments } from './experiments.ts'
import type { Fleet } from './fleet.ts'
import { overview } from './overview.ts'
import type { RolloutsApi } from './rollout-api.ts'
import type { Totals } from './status/mirrors.ts'
import type { WatchOptions } from './watch.ts'

export interface ToldOptions {
  readonly compiled: () => Compiled | undefined
  readonly fleet: () => Fleet
  /** What the sidecars have counted. */
  readonly totals: Totals
  readonly rollouts: Pick<RolloutsApi, 'views'>
  readonly experiments: Pick<Experiments, 'views'>
}

/** What a watch tells, made of what there is when it looks: of the parts that somebody wants, since each costs something. */
export function told({ compiled, fleet, rollouts, experiments, totals }: ToldOptions): WatchOptions['state'] {
  return (parts) => {
    const now = compiled()
    if (!now) return undefined
    return {
      ...(parts.has('status') ? overview(now, fleet(), () => true, totals) : {}),
      ...(parts.has('rollouts') ? { rollouts: rollouts.views(), experiments: experiments.views() } : {}),
      ...(parts.has('board') ? board(now, fleet()) : {}),
    }
  }
}
