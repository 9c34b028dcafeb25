import { timingSafeEqual } from 'node:crypto'
import { type Answer, json, Refusal, whole } from '../answer.ts'
import { waitHeaders } from '../rate-limit.ts'
import { isRecord } from '../text.ts'
import type { MockProvider, MockRequest, Trouble } from './provider.ts'

/** An error as Triton says it: a text, and little in the way of statuses. */
const complaint = (status: number, error: string): Refusal => new Refusal(error, json({ error }, status))

const MODEL = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(|\/ready|\/infer)$/

/** Bytes of one value; what has none comes as JSON alone. */
const WIDTH: Readonly<Record<string, number>> = { FP32: 4, FP64: 8, INT32: 4, UINT8: 1, BOOL: 1 }

/**
 * Open Inference Protocol v2 (https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol) with the extension of
 * tensors as bytes (https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html).
 * Every model gives each of its inputs back, in the form in which it is asked for.
 */
export const openInference: MockProvider = {
  name: 'open-inference',
  basePath: '',
  example: (model) => ({
    path: `/v2/models/${encodeURIComponent(model)}/infer`,
    body: { inputs: [{ name: 'INPUT0', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] },
  }),
  modelOf: ({ path }) => {
    const name = MODEL.exec(path)?.[1]
    return name === undefined ? undefined : decodeURIComponent(name)
  },
  authorised({ headers }, key) {
    const [given, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${key}`)]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  },
  answer(request, { models, voice }) {
    const { method, path } = request
    if (path === '/v2/health/live') return json({ live: true })
    if (path === '/v2/health/ready') return json({ ready: true })
    if (path === '/v2') return json({ name: voice.name, version: '2.0', extensions: ['binary_tensor_data'] })
    const [, name, version = '1', what] = MODEL.exec(path) ?? []
    if (name === undefined) throw complaint(404, 'Not Found')
    const model = decodeURIComponent(name)
    if (models.length > 0 && !models.includes(model))
      throw complaint(400, `Request for unknown model: '${model}' is not found`)
    if (method !== (what === '/infer' ? 'POST' : 'GET')) throw complaint(405, 'Method Not Allowed')
    if (what === '/ready') return json({ name: model, ready: true })
    if (what === '') return json({ name: model, versions: ['1', '2'], platform: 'mock', inputs: [], outputs: [] })
    return infer(request, model, version)
  },
  error: (trouble) => {
    const { status, message } = said(trouble)
    return json({ error: message }, status, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
  },
  errorPart: (trouble) => JSON.stringify({ error: said(trouble).message }),
  finishes: () => false,
  terminates: () => false,
  filtered: (answer) => answer,
}

interface Tensor {
  readonly name: string
  readonly shape: readonly unknown[]
  readonly datatype: string
  /** As JSON or as bytes. */
  readonly data: readonly unknown[] | Buffer
}

function infer({ headers, bytes, body }: MockRequest, model: string, version: string): Answer {
  const size = headers['inference-header-content-length']
  const length = size === undefined ? bytes.length : Number(size)
  const asked: unknown = size === undefined ? body : parse(bytes.subarray(0, length))
  if (!isRecord(asked)) throw complaint(400, 'failed to parse the request JSON buffer')
  const { inputs, outputs, parameters } = asked
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw complaint(400, "Unable to parse 'inputs': attempt to access non-existing object member")
  let at = length
  const tensors = inputs.map((input: unknown) => {
    const tensor = read(input, bytes, at)
    if (Buffer.isBuffer(tensor.data)) at += tensor.data.length
    return tensor
  })
  if (at !== bytes.length) throw complaint(400, `unexpected additional input data: ${bytes.length - at} bytes`)
  const binary = (i: number): boolean => {
    const own: unknown = Array.isArray(outputs) ? outputs[i] : undefined
    const said = isRecord(own) && isRecord(own['parameters']) ? own['parameters']['binary_data'] : undefined
    return (said ?? (isRecord(parameters) && parameters['binary_data_output'])) === true
  }
  const answered = tensors.map((tensor, i) => write(tensor, i, binary(i)))
  const head = {
    model_name: model,
    model_version: version,
    ...(asked['id'] === undefined ? {} : { id: asked['id'] }),
    outputs: answered.map(({ output }) => output),
  }
  const tails = answered.flatMap(({ tail }) => tail ?? [])
  if (tails.length === 0) return json(head)
  const first = Buffer.from(JSON.stringify(head))
  const answer = whole(Buffer.concat([first, ...tails]), 'application/octet-stream')
  return { ...answer, headers: { ...answer.headers, 'inference-header-content-length': String(first.length) } }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

function read(input: unknown, bytes: Buffer, at: number): Tensor {
  if (!isRecord(input)) throw complaint(400, 'an input is no object')
  const { name, shape, datatype, data, parameters, ...rest } = input
  const [extra] = Object.keys(rest)
  if (extra !== undefined) throw complaint(400, `unexpected member '${extra}' of an input`)
  if (typeof name !== 'string' || !Array.isArray(shape) || typeof datatype !== 'string')
    throw complaint(400, "Unable to parse 'name', 'shape' or 'datatype' of an input")
  const values = shape.reduce((product: number, it) => product * Number(it), 1)
  const size = isRecord(parameters) ? parameters['binary_data_size'] : undefined
  if (typeof size === 'number') {
    const width = WIDTH[datatype]
    if (width !== undefined && size !== width * values)
      throw complaint(400, `unexpected size for input '${name}', expecting ${width * values} bytes, got ${size}`)
    const part = bytes.subarray(at, at + size)
    if (part.length !== size) throw complaint(400, `unexpected end of the data of input '${name}'`)
    return { name, shape, datatype, data: part }
  }
  const flat: readonly unknown[] = Array.isArray(data) ? data.flat(Infinity) : []
  if (flat.length !== values)
    throw complaint(400, `unexpected number of elements ${flat.length} for input '${name}', expecting ${values}`)
  return { name, shape, datatype, data: flat }
}

function write(
  { shape, datatype, data }: Tensor,
  i: number,
  binary: boolean,
): { readonly output: object; readonly tail?: Buffer } {
  const head = { name: `OUTPUT${i}`, shape, datatype }
  if (binary) {
    const tail = Buffer.isBuffer(data) ? data : Buffer.from(Float32Array.from(data.map(Number)).buffer)
    return { output: { ...head, parameters: { binary_data_size: tail.length } }, tail }
  }
  if (!Buffer.isBuffer(data)) return { output: { ...head, data } }
  const floats = Array.from({ length: data.length >> 2 }, (_, at) => data.readFloatLE(at * 4))
  return { output: { ...head, data: floats } }
}

function said(trouble: Trouble): { readonly status: number; readonly message: string } {
  switch (trouble.kind) {
    case 'unauthorised':
      return { status: 401, message: 'unauthorized' }
    case 'invalid':
    case 'failed':
      return trouble
    case 'rate-limit':
    case 'quota':
      return { status: 429, message: 'Exceeds maximum queue size' }
    case 'context-length':
      return { status: 400, message: `inference request batch-size must be <= ${trouble.limit}` }
    case 'content-refused':
      return { status: 400, message: 'the request was refused' }
  }
}
