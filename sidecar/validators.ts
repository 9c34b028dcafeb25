import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import { compiledSchemas } from '../api/compiled.ts'
import type { ResourceKind } from '../api/compiled.ts'
import { withoutRepetition } from './repeated.ts'

/** Whether a resource's body is of its kind's schema; if not, `errors` says why, until the next call. */
export interface Validator {
  (body: unknown): boolean
  errors?: readonly ErrorObject[] | null
}

/** How the schemas are compiled, whenever that is. */
export const options = { strict: false, validateFormats: false, inlineRefs: false } as const

const ajv = new Ajv(options)

/**
 * By kind. Here they are compiled as they are loaded; in a bundle, ahead of time (`tool/ahead.ts`): the compiler and its work would cost
 * each pod 16 MB and its start 70 ms of CPU.
 */
export const validators: Readonly<Record<ResourceKind, Validator>> = {
  route: ajv.compile(withoutRepetition(compiledSchemas.route)),
  endpoint: ajv.compile(withoutRepetition(compiledSchemas.endpoint)),
  addresses: ajv.compile(withoutRepetition(compiledSchemas.addresses)),
  secret: ajv.compile(withoutRepetition(compiledSchemas.secret)),
  artefact: ajv.compile(withoutRepetition(compiledSchemas.artefact)),
}
