import { isRecord } from '../text.ts'
import { invalid } from './words.ts'

export type Body = Readonly<Record<string, unknown>>

/** Reads a whole number in `[least, most]` from the request, or `fallback` where it is left out. */
export function count(body: Body, key: string, least: number, most: number, fallback: number): number {
  const value = body[key] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw invalid(`'${key}' must be a whole number between ${least} and ${most}.`, key)
  return value
}

/** Refuses a number outside `[least, most]`, as OpenAI does. */
export function within(body: Body, key: string, least: number, most: number): void {
  const value = body[key]
  if (value === undefined || value === null) return
  if (typeof value !== 'number')
    throw invalid(
      `Invalid type for '${key}': expected a decimal, but got ${typeOf(value)} instead.`,
      key,
      'invalid_type',
    )
  if (value < least)
    throw invalid(
      `Invalid '${key}': decimal below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
      key,
      'decimal_below_min_value',
    )
  if (value > most)
    throw invalid(
      `Invalid '${key}': decimal above maximum value. Expected a value <= ${most}, but got ${value} instead.`,
      key,
      'decimal_above_max_value',
    )
}

/** A list of strings from a member that may be one string or several; 400 for anything else. */
export function strings(body: Body, key: string): readonly string[] {
  const value = body[key]
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every((it) => typeof it === 'string'))
    throw invalid(`'${key}' must be a string or a list of strings.`, key)
  return list
}

/** Stop sequences: one, or at most four. */
export function stops(body: Body): readonly string[] {
  const { stop } = body
  if (stop === undefined || stop === null) return []
  const list = strings(body, 'stop')
  if (list.length > 4)
    throw invalid(
      `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${list.length} instead.`,
      'stop',
      'array_above_max_length',
    )
  return list
}

/** True where the request asks for the chunk with the usage at the end of its stream. */
export function wantsUsage(body: Body): boolean {
  if (body['stream_options'] !== undefined && body['stream_options'] !== null && body['stream'] !== true)
    throw invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
  return isRecord(body['stream_options']) && body['stream_options']['include_usage'] === true
}

/** Refuses members that the API does not have, at the top (`at` empty) or below. */
export function onlyKnown(value: Body, known: ReadonlySet<string>, at = ''): void {
  for (const key of Object.keys(value)) {
    if (known.has(key)) continue
    if (at === '') throw invalid(`Unrecognized request argument supplied: ${key}`)
    throw invalid(`Unknown parameter: '${at}.${key}'.`, `${at}.${key}`, 'unknown_parameter')
  }
}

/** Models that think before they answer, and refuse some parameters. */
export function thinks(model: string): boolean {
  return /^(o\d|gpt-5)/.test(model) && !/^gpt-5(\.\d+)?-chat/.test(model)
}

/** Tokens of thought by the effort that is asked. */
export function thoughtOf(model: string, effort: unknown): number {
  if (!thinks(model)) return 0
  return { none: 0, minimal: 0, low: 4, high: 16, xhigh: 24 }[String(effort)] ?? 8
}

export function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return (
    { string: 'a string', number: 'a number', boolean: 'a boolean', object: 'an object' }[typeof value as string] ??
    typeof value
  )
}

/** A function's name and parameters as OpenAI wants them; with `strict`, objects have to be closed. */
export function checkFunction(it: Body, at: string): void {
  const { name, parameters, strict } = it
  if (typeof name !== 'string')
    throw invalid(`Missing required parameter: '${at}.name'.`, `${at}.name`, 'missing_required_parameter')
  if (!/^[\w-]{1,64}$/.test(name))
    throw invalid(
      `Invalid '${at}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      `${at}.name`,
      'invalid_value',
    )
  if (parameters !== undefined && parameters !== null) {
    if (!isRecord(parameters))
      throw invalid(
        `Invalid type for '${at}.parameters': expected an object, but got ${typeOf(parameters)} instead.`,
        `${at}.parameters`,
        'invalid_type',
      )
    if (parameters['type'] !== 'object' && Object.keys(parameters).length > 0)
      throw invalid(
        `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${String(parameters['type'])}"'.`,
        `${at}.parameters`,
        'invalid_function_parameters',
      )
  }
  if (strict === true) closed(parameters, `function '${name}'`, `${at}.parameters`, 'invalid_function_parameters')
}

/** The rule of structured outputs: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
export function closed(schema: unknown, whose: string, param: string, code: string | null): void {
  if (!isRecord(schema)) return
  if (schema['type'] === 'object' || isRecord(schema['properties'])) {
    if (schema['additionalProperties'] !== false)
      throw invalid(
        `Invalid schema for ${whose}: In context=(), 'additionalProperties' is required to be supplied and to be false.`,
        param,
        code,
      )
    const properties = Object.keys(isRecord(schema['properties']) ? schema['properties'] : {})
    const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : []
    const missing = properties.find((key) => !required.includes(key))
    if (missing !== undefined)
      throw invalid(
        `Invalid schema for ${whose}: In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`,
        param,
        code,
      )
  }
  for (const key of ['properties', '$defs'])
    if (isRecord(schema[key])) for (const it of Object.values(schema[key])) closed(it, whose, param, code)
  closed(schema['items'], whose, param, code)
}

/** The media type of an inline image, or its address; 400 for what is neither. */
export function seenImage(url: unknown, param: string): string {
  if (typeof url !== 'string' || url === '')
    throw invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
  if (/^https?:\/\/[^/]/i.test(url)) return url
  const inline = /^data:([^;,]*)(?:;[^,]*)?;base64,([A-Za-z0-9+/]+={0,2})$/s.exec(url)
  if (!inline)
    throw invalid(
      "Invalid image_url. Expected a valid URL or a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').",
      param,
      'invalid_value',
    )
  const type = inline[1] ?? ''
  if (!/^image\/(png|jpe?g|gif|webp)$/.test(type))
    throw invalid(`Invalid MIME type. Only image types are supported: got '${type}'.`, param, 'invalid_image_format')
  return type
}
