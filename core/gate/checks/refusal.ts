import type { Check, Pattern } from './check.ts'

/** How models say that they will not or cannot, at the beginning of an answer; the last is what they say of a text that lacks the fact. */
const USUAL: readonly Pattern[] = [
  "^(i['’]?m|i am) (very |really |so )?(sorry|afraid)[^.!?]{0,60}\\b(can ?not|can['’]?t|unable|won['’]?t|not able)",
  "^(sorry|unfortunately|apologies)[^.!?]{0,40}\\b(i|we) (can ?not|can['’]?t|am unable|won['’]?t|am not able)",
  "^(i|we) (can ?not|can['’]?t|am unable to|am not able to|won['’]?t) (help|assist|answer|provide|comply|do that|fulfil|create|generate|discuss)",
  '^as an ai( language)? model',
  "(provided|given) (text|context|passage|document|information) (does not|doesn['’]?t) (contain|mention|provide|include|specify)",
].map((source) => {
  const expression = new RegExp(source, 'i')
  return (text) => expression.test(text)
})

/** Of an answer, what is looked at, characters: a refusal comes first. */
const BEGINNING = 400

/** The answer refuses, in the dialect's own way or in words. What a provider's filter ended is for `fallback.when: [ContentFilter]` to say. */
export const refusal: Check<{ readonly refusal?: { readonly patterns?: readonly Pattern[] | undefined } | undefined }> =
  {
    early: true,
    make({ refusal: { patterns = USUAL } = {} }) {
      return (said) => {
        if (said.refusal !== '') return 'it is a refusal'
        if (said.calls.length > 0) return undefined
        const beginning = said.text.trimStart().slice(0, BEGINNING)
        return patterns.some((matches) => matches(beginning)) ? 'it reads like a refusal' : undefined
      }
    },
  }
