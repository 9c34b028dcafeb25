import { estimatePrompt } from '../../estimate.ts'
import type { Json } from '../dialect.ts'
import { members } from './members.ts'
import { readContents } from './read-contents.ts'

/** About how many tokens `contents` have, or the whole of a `generateContentRequest`. Throws `invalid_request`. */
export function countContents(body: Json): number {
  const given = members(body, 'body')
  const request = given['generateContentRequest']
  const asked = request === undefined ? given : members(request, 'generateContentRequest')
  readContents(asked['contents'], [])
  return estimatePrompt(asked)
}
