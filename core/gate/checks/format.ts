import type { Check } from './check.ts'

/** The answer was to be JSON, or JSON of a schema, and is not. Strict decoding makes this needless; few models have it. */
export const format: Check<unknown> = {
  early: false,
  make:
    () =>
    async (said, { request, schemas }) => {
      const wanted = request?.format
      if (!wanted || wanted.type === 'text' || said.calls.length > 0 || said.refusal !== '') return undefined
      let value: unknown
      try {
        value = JSON.parse(said.text)
      } catch {
        return 'it is not JSON'
      }
      if (wanted.type !== 'schema') return undefined
      const fits = await schemas?.(wanted.schema)
      return !fits || fits(value) ? undefined : 'it does not fit the schema that was asked for'
    },
}
