import { onContent } from './match.ts'

/** The script that most letters of the last user turn are of; any of them. */
export const language = onContent(({ language }) => language, {
  holds: (wanted, { script }) => wanted.includes(script),
  misses: (wanted, { script }) => `the text is written in ${script}, not ${wanted.join(' or ')}`,
})
