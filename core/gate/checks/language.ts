import { scriptOf } from '../../signals/script.ts'
import { isSpoken } from './check.ts'
import type { Check } from './check.ts'

/** Fewer letters than this say nothing of a language, characters. */
const LEAST = 40

/** Words of translation: then the answer is meant to be in another language. */
const TRANSLATES =
  /\b(translat|in (english|spanish|french|german|chinese|japanese|korean|russian|arabic|hindi|greek|hebrew|thai))/i

/** What is neither code nor quoted: those have a language of their own. */
const prose = (text: string): string => text.replace(/```[^]*?(```|$)/g, ' ').replace(/https?:\S+/g, ' ')

/**
 * The answer is in another script than the question. Scripts and not languages: between two languages of one script a short text can hardly be
 * told apart, and a wrong guess escalates for nothing.
 */
export const language: Check<unknown> = {
  early: true,
  make:
    () =>
    (said, { request }) => {
      if (!isSpoken(said)) return undefined
      const last = request?.messages.findLast(({ role }) => role === 'user')
      if (!last) return undefined
      let question = ''
      for (const part of last.content) if (part.type === 'text') question += `${part.text}\n`
      const [asked, answered] = [prose(question), prose(said.text)]
      if (asked.trim().length < LEAST || answered.trim().length < LEAST || TRANSLATES.test(asked)) return undefined
      const [wanted, got] = [scriptOf(asked), scriptOf(answered)]
      return wanted === got || wanted === 'Other' || got === 'Other'
        ? undefined
        : `it is in ${got} script, and the question in ${wanted}`
    },
}
