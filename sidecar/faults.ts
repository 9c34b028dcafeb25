import type { CompiledFault } from '../api/compiled.ts'
import { describeFault } from '../core/faults/describe.ts'
import type { Fault } from '../core/faults/fault.ts'
import { headers as onHeaders } from '../core/match/headers.ts'
import { Refused } from './endpoints.ts'

/** A fault as the request path uses it; `at` is its place. Throws `Refused` where it lacks what its type takes. */
export function faultOf({ headers, ...fault }: CompiledFault, at: string): Fault {
  const { type, percent, targets, until, delay, status, afterBytes = 0 } = fault
  const said = describeFault({ ...fault, headers })
  const common = { said, percent, targets, until, test: onHeaders.compile({ headers }, { taskHeader: '', tasks: [] }) }
  switch (type) {
    case 'Delay':
      if (delay === undefined) throw new Refused(at, 'A delay says how long it is.')
      return { ...common, type, delay }
    case 'Abort':
      if (status === undefined) throw new Refused(at, 'An abort says with which status.')
      return { ...common, type, status }
    case 'Cut':
    case 'Stall':
      return { ...common, type, afterBytes }
  }
}
