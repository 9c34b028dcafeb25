import { saidTask } from './caller.ts'
import type { Caller } from './caller.ts'
import { hasCode } from './code.ts'

/** The kinds that are guessed where neither the caller nor the route says. */
export const GUESSED_TASKS = [
  'translation',
  'summarisation',
  'classification',
  'extraction',
  'code',
  'math',
  'writing',
  'chat',
] as const
export type GuessedTask = (typeof GUESSED_TASKS)[number]

/** Instructions stand at the beginning or at the end; what is between is what they are about. UTF-16 units. */
const HEAD = 600
const TAIL = 300

/** In this order: who asks for the translation of a function wants a translation. */
const SIGNS: readonly (readonly [task: GuessedTask, sign: RegExp])[] = [
  [
    'translation',
    /\btranslat(?:e|ion)\b|\b(?:say|put|render|rewrite|word|phrase|mean)\b[^\n]{0,80}\b(?:in|into) (?:english|french|german|spanish|italian|portuguese|chinese|japanese|korean|russian|arabic|hindi)\b|\b(?:in|into|to) (?:english|french|german|spanish|italian|portuguese|chinese|japanese|korean|russian|arabic|hindi)\s*:|übersetz|\btradui|\btraduc|\bperev|перевед|翻译|翻訳/i,
  ],
  [
    'summarisation',
    /\bsummar(?:y|i[sz]e|i[sz]ation)\b|\btl;?dr\b|\bkey (?:points|takeaways)\b|\bzusammenfass|\brésumé[rz]|\bresumen\b|кратко|总结|要約/i,
  ],
  [
    'classification',
    /\bclassif(?:y|ication)\b|\bcategori[sz]e\b|\bsentiment\b|\bwhich (?:category|label|class)\b|\blabel (?:the|this|each)\b|\b(?:positive|spam)[^.\n]{0,20}\bor\b/i,
  ],
  [
    'extraction',
    /\bextract\b|\b(?:list|find|pull out) (?:all|every|each) [^.\n]{0,40}\b(?:in|from)\b|\bnamed entit|\bfill in the (?:fields|form)\b/i,
  ],
  [
    'code',
    /\b(?:write|implement|fix|debug|refactor|review|optimi[sz]e)\b[^.\n]{0,60}\b(?:code|function|method|class|script|program|query|regex|unit tests?|component|endpoint|bug)\b|\b(?:python|javascript|typescript|java|c\+\+|rust|golang|sql|bash|html|css)\b[^.\n]{0,40}\b(?:code|function|script|program|query|class)\b|\bstack ?trace\b/i,
  ],
  [
    'math',
    /\bsolve\b[^.\n]{0,60}[\d=]|\b(?:prove|integrate|differentiate|derivative|integral|equation|theorem|probability|polynomial|matrix)\b|\\(?:frac|sum|int|sqrt)\b|\d\s*[+*^=×÷]\s*\d|\d\s+[-/]\s+\d|\bhow (?:many|much)\b[^?]{0,200}\d|\d[^]{0,200}\bhow (?:many|much)\b/i,
  ],
  [
    'writing',
    /\b(?:write|compose|draft)\b[^.\n]{0,40}\b(?:poem|story|essay|email|letter|song|speech|blog|article|haiku|script|cover letter)\b/i,
  ],
]

/** What a text asks for, by its words; `chat` where nothing tells. */
export function guessTask(text: string): GuessedTask {
  const seen = text.length <= HEAD + TAIL ? text : `${text.slice(0, HEAD)}\n${text.slice(-TAIL)}`
  for (const [task, sign] of SIGNS) if (sign.test(seen)) return task
  return hasCode(text) ? 'code' : 'chat'
}

/** What a request is for: the caller's word for it, else the first of the route's tasks that matches, else a guess. */
export function taskOf(header: (name: string) => string | undefined, text: () => string, caller: Caller): string {
  const said = saidTask(header, caller)
  if (said !== undefined) return said
  return caller.tasks.find(({ matches }) => matches(text()))?.name ?? guessTask(text())
}
