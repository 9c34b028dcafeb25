import type { Check } from './check.ts'

/** The answer ended because it had no more tokens. */
export const length: Check<unknown> = {
  early: false,
  make: () => (said) => (said.finish === 'length' ? 'it was cut at its bound on tokens' : undefined),
}
