import type { FaultType } from './fault.ts'

/** A fault as its words are made of it; `delay` in ms, `until` in ms since the epoch. */
interface Described {
  readonly type: FaultType
  readonly percent: number
  readonly delay?: number | undefined
  readonly status?: number | undefined
  readonly afterBytes?: number | undefined
  readonly targets?: readonly { readonly endpoint: string; readonly model?: string | undefined }[] | undefined
  readonly headers: readonly { readonly name: string }[]
  readonly until: number
}

/** A fault in words, as the rest of a sentence: `Abort with 503 of 20 % of the calls of default/primary until 2026-01-31T18:00:00.000Z`. */
export function describeFault(fault: Described): string {
  const { percent, targets, headers, until } = fault
  const called = targets?.map(({ endpoint, model }) => (model === undefined ? endpoint : `${endpoint} ${model}`))
  const whose = headers.length > 0 ? ` of requests with ${headers.map(({ name }) => name).join(' and ')}` : ''
  const which = `${percent} % of the calls${called ? ` of ${called.join(' and ')}` : ''}${whose}`
  return `${what(fault)} of ${which} until ${new Date(until).toISOString()}`
}

function what({ type, delay = 0, status, afterBytes = 0 }: Described): string {
  switch (type) {
    case 'Delay':
      return `Delay by ${delay} ms`
    case 'Abort':
      return `Abort with ${status}`
    case 'Cut':
    case 'Stall':
      return `${type} after ${afterBytes} bytes`
  }
}
