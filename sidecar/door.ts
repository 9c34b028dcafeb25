import { randomUUID } from 'node:crypto'
import type { Facts, Incoming } from '../core/exchange.ts'
import { lower } from '../core/headers.ts'

/** What the headers of a request say that we act on at the door. */
export interface Door {
  /** `content-length`, bytes; 0 where it is not given. */
  length: number
  encoding: string | undefined
  requestId: string | undefined
  traceparent: string | undefined
  tracestate: string | undefined
  userAgent: string | undefined
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

/** One pass over the headers as they came: the object that node makes of them costs more than all the rest at the door. */
export function readDoor(headers: readonly string[]): Door {
  const door: Door = {
    length: 0,
    encoding: undefined,
    requestId: undefined,
    traceparent: undefined,
    tracestate: undefined,
    userAgent: undefined,
  }
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    // By length first: there are many headers, and few of interest.
    if (name.length < 10 || name.length > 16) continue
    const value = headers[i + 1] ?? ''
    switch (lower(name)) {
      case 'content-length':
        door.length = Number(value)
        break
      case 'content-encoding':
        door.encoding = value
        break
      case 'x-request-id':
        if (REQUEST_ID.test(value)) door.requestId = value
        break
      case 'traceparent':
        door.traceparent = value
        break
      case 'tracestate':
        door.tracestate = value
        break
      case 'user-agent':
        door.userAgent = value
        break
    }
  }
  return door
}

const NOTHING: readonly string[] = []

/** The record of a request that has come in, `started` in ms of `Deps.now()`, `wall` in ms since the epoch. */
export function newFacts({ surface, found, method, body }: Incoming, door: Door, started: number, wall: number): Facts {
  return {
    requestId: door.requestId ?? randomUUID(),
    surface: surface.name,
    operation: surface.operation,
    method,
    path: found.path,
    started,
    wall,
    ended: 0,
    firstByte: 0,
    traceparent: door.traceparent,
    tracestate: door.tracestate,
    userAgent: door.userAgent,
    requestedModel: '',
    stream: false,
    route: '',
    rule: '',
    endpoint: '',
    model: '',
    sticky: false,
    reason: '',
    decision: undefined,
    attempts: [],
    status: 0,
    code: undefined,
    error: undefined,
    finishReason: undefined,
    usage: undefined,
    rescue: undefined,
    gate: undefined,
    dropped: NOTHING,
    requestBytes: body.length,
    responseBytes: 0,
    aborted: false,
    span: undefined,
  }
}
