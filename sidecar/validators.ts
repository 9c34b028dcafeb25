import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import { compiledSchemas } from '../api/compiled.ts'
import type { ResourceKind } from '../api/compiled.ts'

/** Whether a resource's body is of its kind's schema; if not, `errors` says why, until the next call. */
export interface Validator {
  (body: unknown): boolean
  errors?: readonly ErrorObject[] | null
}

/** How the schemas are compiled, whenever that is. */
export const options = { strict: false, validateFormats: false } as const

const ajv = new Ajv(options)

/**
 * By kind. Here they are compiled as they are loaded; in a bundle, ahead of time (`tool/ahead.ts`): the compiler and its work would cost
 * each pod 16 MB and its start 70 ms of CPU.
 */
export const validators: Readonly<Record<ResourceKind, Validator>> = {
  route: ajv.compile(compiledSchemas.route),
  endpoint: ajv.compile(compiledSchemas.endpoint),
  addresses: ajv.compile(compiledSchemas.addresses),
  secret: ajv.compile(compiledSchemas.secret),
  artefact: ajv.compile(compiledSchemas.artefact),
}
