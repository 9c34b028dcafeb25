import type { System } from '../system.ts'

/** No proxy: what the load generator and the upstream reach by themselves. */
export const direct: System = {
  name: 'direct',
  features: 'no proxy; everything goes to the first upstream',
  install: async () => '',
  prepare: ({ targets }) => ({ command: undefined, port: targets[0].port, headers: {}, config: '' }),
  evidence: async () => '',
}
