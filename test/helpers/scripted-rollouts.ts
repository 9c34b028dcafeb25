import type { Verb } from '../../core/rollout/state.ts'
import type { RolloutsApi } from '../../operator/rollout-api.ts'
import { RolloutError } from '../../operator/rollouts.ts'
import type { RolloutView } from '../../operator/rollouts.ts'

/** Rollouts that are as the test says, and do what they are told where the phase admits it. */
export class ScriptedRollouts implements RolloutsApi {
  readonly done: string[] = []
  #views: readonly RolloutView[] = []
  readonly #listeners = new Set<() => void>()

  set(...views: readonly RolloutView[]): void {
    this.#views = views
    for (const listener of this.#listeners) listener()
  }

  async act(route: string, rule: string, verb: Verb, by: string): Promise<void> {
    const before = this.#views.find((it) => it.route === route && it.rule === rule)
    if (before?.phase === 'RolledBack' && verb !== 'retry')
      throw new RolloutError('not_now', `A rollout that is RolledBack cannot be told to ${verb}: retry it.`)
    this.done.push(`${verb} ${route} ${rule} by ${by}`)
    const phase = (
      { pause: 'Paused', resume: 'Progressing', promote: 'Promoted', abort: 'RolledBack', retry: 'Pending' } as const
    )[verb]
    this.set(...this.#views.map((it) => (it === before ? { ...it, phase, by } : it)))
  }

  views(): readonly RolloutView[] {
    return this.#views
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** A rollout in the middle of its way. */
export function rolloutView(route: string, rule: string, over: Partial<RolloutView> = {}): RolloutView {
  return {
    route,
    rule,
    phase: 'Progressing',
    reason: 'Gathering',
    message: 'It waits for 237 more requests of the canary.',
    canary: 'openai/gpt-new',
    version: 'abc.2.1',
    step: 2,
    steps: 6,
    weight: 10,
    since: new Date(Date.now() - 252_000).toISOString(),
    stepSince: new Date(Date.now() - 63_000).toISOString(),
    waiting: 0,
    samples: { canary: 213, stable: 1893 },
    harmed: 0,
    guardrails: [
      {
        metric: 'ErrorRate',
        margin: '0.02',
        evidence: '3.1622776601',
        needs: '60',
        canary: '0.014',
        stable: '0.011',
        lower: '-0.0123',
        upper: '0.0188',
        counts: { canary: 213, stable: 1893 },
      },
      { metric: 'Latency', margin: '0.2', evidence: '0.4', needs: '60', counts: { canary: 0, stable: 0 } },
    ],
    ...over,
  }
}
