import type { Bytes } from '../bytes.ts'
import { requestFields } from '../json-fields.ts'
import type { RequestFields } from '../json-fields.ts'
import { formFields, isForm } from '../multipart.ts'
import { mediaWatch } from './media-watch.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** A body that is a form, or JSON, as its content type says. */
export const formOrJson = (body: Bytes, contentType: string): RequestFields =>
  isForm(contentType) ? formFields(body, contentType) : requestFields(body)

const images = {
  operation: 'images',
  // The reference lets `model` be left out and names no default any more: the general one of those that are served.
  defaultModel: 'gpt-image-2',
  reads: formOrJson,
  watch: mediaWatch({
    member: 'data',
    makes: 'image',
    ends: ['image_generation.completed', 'image_edit.completed'],
    // Ten large images as base64.
    hold: 64 * 1024 * 1024,
  }),
  ...openaiErrors,
} as const

/** https://platform.openai.com/docs/api-reference/images/create */
export const imageGenerations = {
  ...images,
  name: 'image_generations',
  paths: ['/v1/images/generations'],
} as const satisfies Surface

/** https://platform.openai.com/docs/api-reference/images/createEdit */
export const imageEdits = { ...images, name: 'image_edits', paths: ['/v1/images/edits'] } as const satisfies Surface

/** https://platform.openai.com/docs/api-reference/images/createVariation */
export const imageVariations = {
  ...images,
  name: 'image_variations',
  paths: ['/v1/images/variations'],
} as const satisfies Surface
