import type { ChatRequest } from '../../chat.ts'
import type { Said } from '../said.ts'

/** Whether a text matches; in linear time, since texts and patterns come from outside. */
export type Pattern = (text: string) => boolean

/** Compiles a JSON Schema; undefined where it is none that can be compiled. The function says whether a value holds. */
export type SchemaCompiler = (
  schema: Readonly<Record<string, unknown>>,
) => Promise<((value: unknown) => boolean) | undefined>

/** What a check may look at beside the answer. */
export interface Examined {
  /** Undefined where the request could not be read. */
  readonly request: ChatRequest | undefined
  /** Undefined: schemas are not checked. */
  readonly schemas: SchemaCompiler | undefined
}

/** Why an answer is wanting, in a few words and none of its own; undefined: the check found nothing. */
export type Examination = (said: Said, examined: Examined) => string | undefined | Promise<string | undefined>

/** A kind of deterministic check. One file each, and one line in the registry. */
export interface Check<Settings> {
  /** It can be made on the beginning of an answer. */
  readonly early: boolean
  make(settings: Settings): Examination
}

/** An answer that is not of words: tools are called, pictures drawn, or it was refused in the dialect's own way. */
export const isSpoken = ({ text, calls, media }: Said): boolean => text !== '' && calls.length === 0 && !media
