import type { ExperimentStatus } from '../../api/experiment.ts'
import type { StatusFields } from '../status-fields.ts'
import type { ExperimentStore, Writing } from './store.ts'

/** What a status has of experiments. */
export function itemsOf(status: unknown): readonly ExperimentStatus[] {
  const { experiments = [] } = Object(status) as { experiments?: readonly ExperimentStatus[] } // the CRD's schema has checked it
  return experiments
}

/** Experiments in the status of their route. */
export class ExperimentStatusStore implements ExperimentStore {
  readonly #status: StatusFields

  /** `status`: the fields of a manager that writes nothing else. */
  constructor(status: StatusFields) {
    this.#status = status
  }

  read(route: string): { readonly uid: string; readonly items: readonly ExperimentStatus[] } | undefined {
    const stored = this.#status.read(route)
    return stored && { uid: stored.uid, items: itemsOf(stored.status) }
  }

  async write(route: string, uid: string, { items, condition }: Writing): Promise<boolean> {
    const fields = items.length > 0 ? { experiments: items } : undefined
    return (await this.#status.write(route, uid, { fields, condition })) === 'written'
  }
}
