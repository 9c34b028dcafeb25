import { onContent } from './match.ts'

/** Whether the model may call tools. */
export const tools = onContent(({ tools }) => tools, {
  holds: (wanted, { tools }) => tools > 0 === wanted,
  misses: (wanted) => (wanted ? 'the request has no tools' : 'the request has tools'),
})
