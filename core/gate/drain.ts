import type { Reply } from '../exchange.ts'

/** Takes an answer that nobody reads, to its end. Resolves with whether it was whole. */
export function drain({ body }: Reply): Promise<boolean> {
  if (Buffer.isBuffer(body)) return Promise.resolve(true)
  return new Promise((resolve) => {
    body.settled((code) => resolve(code === undefined))
    body.flow({ write: () => true, end: () => {}, fail: () => {} })
  })
}
