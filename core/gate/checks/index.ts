import type { Check, Pattern } from './check.ts'
import { citations } from './citations.ts'
import { code } from './code.ts'
import { empty } from './empty.ts'
import { format } from './format.ts'
import { language } from './language.ts'
import { length } from './length.ts'
import { pattern } from './pattern.ts'
import { refusal } from './refusal.ts'
import { repetition } from './repetition.ts'
import { toolArguments } from './tool-arguments.ts'

/** What a rule may say of a check beside its type. */
export interface CheckConfig {
  readonly type: CheckType
  readonly refusal?: { readonly patterns?: readonly Pattern[] | undefined } | undefined
  readonly citations?: { readonly minimum: number } | undefined
  readonly pattern?: { readonly must?: Pattern | undefined; readonly mustNot?: Pattern | undefined } | undefined
}

/** Every deterministic check, cheapest first: that is their order, whatever the rule's. */
export const checks = {
  Length: length,
  Empty: empty,
  Refusal: refusal,
  ToolArguments: toolArguments,
  Format: format,
  Citations: citations,
  Pattern: pattern,
  Code: code,
  Language: language,
  Repetition: repetition,
} as const satisfies Record<string, Check<never>>

export type CheckType = keyof typeof checks

/** The names by which rules have them. */
export const checkTypes = [
  'Length',
  'Empty',
  'Refusal',
  'ToolArguments',
  'Format',
  'Citations',
  'Pattern',
  'Code',
  'Language',
  'Repetition',
] as const satisfies readonly CheckType[]
