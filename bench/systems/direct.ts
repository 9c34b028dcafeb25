import { noHeaders, type System } from '../system.ts'

/** No proxy: what the load generator and the upstream reach by themselves. */
export const direct: System = {
  name: 'direct',
  features: 'no proxy; everything goes to the first upstream',
  install: async () => '',
  // The upstream speaks the caller's API, whichever that is.
  carries: () => true,
  prepare: ({ targets }) => ({ command: undefined, port: targets[0].port, headers: noHeaders, config: '' }),
  evidence: async () => '',
}
