import type { StatusFields, Written } from '../status-fields.ts'
import { recordOf } from './record.ts'
import type { Record } from './record.ts'
import type { RolloutStore, Writing } from './store.ts'

/** Rollouts in the status of their route. */
export class KubernetesStore implements RolloutStore {
  readonly #status: StatusFields

  /** `status`: the fields of a manager that writes nothing else. */
  constructor(status: StatusFields) {
    this.#status = status
  }

  read(route: string): { readonly uid: string; readonly record: Record } | undefined {
    const stored = this.#status.read(route)
    return stored && { uid: stored.uid, record: recordOf(stored.status) }
  }

  write(route: string, uid: string, { items, short, condition }: Writing): Promise<Written> {
    const fields = items.length > 0 ? { rollout: short, rollouts: items } : undefined
    return this.#status.write(route, uid, { fields, condition })
  }
}
