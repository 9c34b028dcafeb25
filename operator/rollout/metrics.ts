import { Gauge, type Registry } from 'prom-client'
import { PHASES } from '../../core/rollout/state.ts'
import type { RolloutView } from '../rollouts.ts'

/** More rollouts than this are not told of one by one: labels are to be bounded. */
const AT_MOST = 500

/** Gauges of the rollouts that `views` gives at the moment they are read: none, where another replica leads. */
export function registerRollouts(registry: Registry, views: () => readonly RolloutView[]): void {
  const gauge = (
    name: string,
    help: string,
    more: readonly string[],
    tell: (view: RolloutView, set: (value: number, labels?: Readonly<Record<string, string>>) => void) => void,
  ) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      labelNames: ['namespace', 'route', 'rule', ...more],
      collect() {
        this.reset()
        for (const view of views().slice(0, AT_MOST)) {
          const [namespace = '', route = ''] = view.route.split('/')
          tell(view, (value, labels) => this.set({ namespace, route, rule: view.rule, ...labels }, value))
        }
      },
    })
  gauge('tradewind_rollout_phase', '1 for the phase that a rollout is in.', ['phase'], (view, set) => {
    for (const phase of PHASES) set(Number(view.phase === phase), { phase })
  })
  gauge('tradewind_rollout_weight_ratio', 'The canary’s share in force, 0 to 1.', [], ({ weight }, set) =>
    set(weight / 100),
  )
  gauge(
    'tradewind_rollout_waiting_sidecars',
    'Sidecars that have not acknowledged what was decided last.',
    [],
    ({ waiting }, set) => set(waiting),
  )
  gauge(
    'tradewind_rollout_evidence_ratio',
    'The E-value of a guardrail, of what rolls back by itself: from 1 on it does.',
    ['metric'],
    ({ guardrails }, set) => {
      for (const { metric, evidence, needs } of guardrails) set(Number(evidence) / Number(needs), { metric })
    },
  )
}
