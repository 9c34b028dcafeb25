import { onContent } from './match.ts'

/** Whether the answer is to follow a JSON schema. */
export const jsonSchema = onContent(({ jsonSchema }) => jsonSchema, {
  holds: (wanted, { jsonSchema }) => jsonSchema === wanted,
  misses: (wanted) => (wanted ? 'no JSON schema is asked for' : 'a JSON schema is asked for'),
})
