import type { Bytes } from './bytes.ts'
import type { Json } from './dialects/dialect.ts'
import { Failure } from './errors.ts'
import { InvalidJson, requestFields } from './json-fields.ts'
import type { RequestFields } from './json-fields.ts'
import { InvalidForm } from './multipart.ts'
import type { Surface } from './surfaces/surface.ts'

/** A request as it came in. */
interface Received {
  readonly surface: Surface
  readonly body: Bytes
  header(name: string): string | undefined
}

/** What the sidecar acts on in a body. Throws `invalid_json`, and `invalid_request` for a form that is none. */
export function readFields(received: Received): RequestFields {
  const { surface, body } = received
  try {
    return surface.reads ? surface.reads(body, received.header('content-type') ?? '') : requestFields(body)
  } catch (error) {
    if (error instanceof InvalidJson) throw new Failure('invalid_json', { detail: `${error.message}.`, cause: error })
    if (error instanceof InvalidForm)
      throw new Failure('invalid_request', { detail: `The form cannot be read: ${error.message}.`, cause: error })
    throw error
  }
}

const BYTE_ORDER_MARK = 0xfeff

/** The whole of a body whose fields were read. Throws `invalid_json`: that was not looked into what stands inside strings. */
export function readJson(body: Bytes): Json {
  const text = body.slice(0, body.length).toString()
  try {
    // Its fields have been read, and so it is an object.
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text) as Json
  } catch (error) {
    throw new Failure('invalid_json', { cause: error })
  }
}
