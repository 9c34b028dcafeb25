import type { Check } from './check.ts'

/** The answer has no word, no call, nothing. */
export const empty: Check<unknown> = {
  early: false,
  make: () => (said) =>
    said.text.trim() === '' && said.refusal === '' && said.calls.length === 0 && !said.media
      ? 'it says nothing'
      : undefined,
}
