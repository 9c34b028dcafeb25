import { object, string } from '../schema.ts'

/** Names what `tradewind train` made: a ConfigMap in the route's namespace. */
export const artefactReference = object(
  {
    name: string({
      maxLength: 253,
      minLength: 1,
      pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      description: 'The ConfigMap, as `tradewind train` wrote it, in the route’s namespace.',
    }),
  },
  { description: 'What was trained.' },
)
