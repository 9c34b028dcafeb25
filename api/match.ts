import { DAYS } from '../core/match/schedule.ts'
import { array, boolean, choice, integer, object, optional, string } from '../core/schema.ts'
import type { Rule, Static } from '../core/schema.ts'
import { SCRIPTS } from '../core/signals/script.ts'
import { INPUT_KINDS } from '../core/signals/signals.ts'
import { TEXT_RULES } from '../core/learning/text.ts'
import { HEADER } from './names.ts'

/** What is said of a pattern that is none; the API server puts it behind `evaluating rule: `, since RE2 refuses it in the middle of that. */
export const PATTERN_RULE = {
  rule: "''.find(self).size() >= 0",
  message:
    'It must be a regular expression of RE2: no look-around, no back-references, nothing repeated more than 1000 times.',
} as const satisfies Rule

/** A pattern in the syntax of RE2, whose engines take time in proportion to the text, whatever the pattern (https://github.com/google/re2/wiki/Syntax). */
export const pattern = (description: string) =>
  string({
    maxLength: 256,
    minLength: 1,
    description: `${description} RE2 syntax: no look-around and no back-references.`,
    rules: [PATTERN_RULE],
  })

/** What an operator calls a task or a tier. */
export const label = (description: string) =>
  string({ maxLength: 63, minLength: 1, pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$', description })

const range = (name: string, description: string) =>
  object(
    {
      min: optional(integer({ minimum: 0, maximum: 1e9, description: 'At least so many.' })),
      max: optional(integer({ minimum: 0, maximum: 1e9, description: 'At most so many.' })),
    },
    {
      description,
      rules: [
        { rule: 'has(self.min) || has(self.max)', message: `${name} needs min, max or both.` },
        {
          rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
          message: 'min must not be above max.',
          fieldPath: '.min',
        },
      ],
    },
  )
const timeOfDay = (description: string, value: '00:00' | '24:00') =>
  string({ maxLength: 5, pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', default: value, description })

/** Whether there is such a zone, the API server cannot tell. */
export const timeZone = string({
  maxLength: 64,
  minLength: 1,
  pattern: '^[A-Za-z][-A-Za-z0-9_+]*(/[-A-Za-z0-9_+]+){0,2}$',
  default: 'UTC',
  description: 'An IANA time zone, such as `Europe/Berlin`; its summer time is followed.',
})

/** Headers that a request may carry. */
export const headers = (description: string) =>
  array(
    object(
      {
        name: string({
          maxLength: 256,
          minLength: 1,
          pattern: HEADER,
          description: 'The header’s name, in any case.',
        }),
        type: choice(['Exact', 'Prefix', 'Present'], {
          default: 'Exact',
          description: 'How the value is compared; Present asks only that the header is there.',
        }),
        value: optional(string({ maxLength: 4096, description: 'The value, or its beginning.' })),
      },
      {
        description: 'One header.',
        rules: [
          {
            rule: "(self.type == 'Present') == !has(self.value)",
            message: 'value goes with Exact and Prefix, and only with them.',
            fieldPath: '.value',
          },
        ],
      },
    ),
    { maxItems: 8, minItems: 1, description },
  )

const conditions = {
  model: optional(
    string({
      maxLength: 256,
      minLength: 1,
      pattern: '^[^*]*\\*?$',
      description: 'What the caller put in `model`; a `*` at the end matches any ending.',
    }),
  ),
  headers: optional(headers('Headers, all of which must match.')),
  path: optional(
    object(
      {
        type: choice(['Exact', 'Prefix'], {
          default: 'Prefix',
          description: 'Prefix matches whole path elements: `/v2` matches `/v2/models`, not `/v20`.',
        }),
        value: string({
          maxLength: 1024,
          minLength: 1,
          pattern: '^/[^?#]*$',
          description: 'The path, or its beginning.',
        }),
      },
      { description: 'The path of the request.' },
    ),
  ),
  tier: optional(
    array(label('A tier.'), {
      minItems: 1,
      maxItems: 16,
      set: true,
      description: 'The caller’s tier, as spec.caller.tier reads it: any of these.',
    }),
  ),
  task: optional(
    array(label('A task.'), {
      minItems: 1,
      maxItems: 16,
      set: true,
      description:
        'What the request is for: any of these. The caller’s header says it, else spec.tasks, else it is guessed from the last user turn: translation, summarisation, classification, extraction, code, math, writing or chat.',
    }),
  ),
  input: optional(
    array(choice(INPUT_KINDS, { description: 'Something that a request may consist of.' }), {
      minItems: 1,
      maxItems: 6,
      set: true,
      description:
        'What the request gives a model to work on: any of these. Code is known by its marks in the last user turn; Embeddings are requests for them.',
    }),
  ),
  tokens: optional(
    range(
      'tokens',
      'How many tokens the prompt is, as estimated from its texts, tools and pictures: near enough for a bound, within about 10 % for English and code, 25 % for other languages.',
    ),
  ),
  turns: optional(range('turns', 'How often the user has spoken in the conversation, this time included.')),
  text: optional(
    object(
      {
        contains: optional(
          array(string({ maxLength: 128, minLength: 1, description: 'Words, as they stand in the text.' }), {
            minItems: 1,
            maxItems: 32,
            set: true,
            description: 'Any of these stands in the text.',
          }),
        ),
        pattern: optional(pattern('The text matches this somewhere.')),
        in: choice(TEXT_RULES, {
          default: 'LastUser',
          description: 'LastUser: the last turn of the user; Conversation: every turn, system prompt included.',
        }),
        ignoreCase: boolean({ default: true, description: 'Capitals and small letters are the same.' }),
      },
      {
        description:
          'What the text says. Of texts longer than 32 Ki UTF-16 units, the first 24 Ki and the last 8 Ki are looked at.',
        rules: [
          {
            rule: 'has(self.contains) != has(self.pattern)',
            message: 'text needs exactly one of contains and pattern.',
          },
        ],
      },
    ),
  ),
  tools: optional(boolean({ description: 'Whether the request lets the model call tools.' })),
  jsonSchema: optional(boolean({ description: 'Whether the request asks for an answer by a JSON schema.' })),
  language: optional(
    array(choice(SCRIPTS, { description: 'A script, by its name in Unicode.' }), {
      minItems: 1,
      maxItems: 17,
      set: true,
      description:
        'The script that most letters of the last user turn are of: any of these. It tells Russian from English, not French from English; Japanese and Korean are kana and hangul with or without ideographs.',
    }),
  ),
  schedule: optional(
    object(
      {
        timeZone,
        days: array(choice(DAYS, { description: 'A day of the week.' }), {
          minItems: 1,
          maxItems: 7,
          set: true,
          default: [...DAYS],
          description: 'The days on which the window begins.',
        }),
        from: timeOfDay('When it begins, `HH:MM`.', '00:00'),
        to: timeOfDay('When it has ended, `HH:MM`; not later than `from`: on the next day.', '24:00'),
      },
      { description: 'When the request comes: a window of the week.' },
    ),
  ),
}

const any = (fields: readonly string[]) => fields.map((field) => `has(self.${field})`).join(' || ')
const names = Object.keys(conditions)
const listed = names.slice(0, -1).join(', ')

/** Which requests: of a rule's list any is enough. */
export const match = object(
  {
    ...conditions,
    not: optional(
      object(conditions, {
        description: 'Requests that match this do not match: its fields are ANDed, too.',
        rules: [{ rule: any(names), message: `not needs at least one of ${listed} and ${names.at(-1)}.` }],
      }),
    ),
  },
  {
    description: 'Fields are ANDed, the list is ORed.',
    rules: [
      {
        rule: any([...names, 'not']),
        message: `A match needs at least one of ${names.join(', ')} and not.`,
      },
    ],
  },
)

export type MatchSpec = Static<typeof match>
