import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

/** Anything that speaks HTTP or WebSocket: passed through as it is, chosen by path. */
export const http = {
  type: 'HTTP',
  genAi: 'http',
  auth: bearer,
  opaque: true,
  native: () => undefined,
} as const satisfies Provider
