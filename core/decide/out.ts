/** Why a target is not to be asked for a request, or only after the others. */
export type OutCode =
  // Ruled out: asking it would fail, or is not wanted.
  | 'input'
  | 'features'
  | 'denied'
  | 'not_allowed'
  | 'rank'
  // Put off: asked when none of the others is left.
  | 'ramping'
  | 'quality'
  | 'quality_unknown'
  | 'not_promised'
  | 'output_tokens'
  | 'context_window'
  | 'unavailable'

export interface Out {
  readonly code: OutCode
  /** What about it, for people: `takes Text, asked for Image`. */
  readonly detail: string
}

/** In which order those that are put off are asked, after all others; the least bad has the lowest number. */
export const PUT_OFF: Readonly<Partial<Record<OutCode, number>>> = {
  ramping: 1,
  quality: 2,
  quality_unknown: 3,
  not_promised: 4,
  output_tokens: 5,
  context_window: 6,
  unavailable: 7,
}

/** What a target lacks, and what nothing can be done about. */
export const INCAPABLE: ReadonlySet<OutCode> = new Set(['input', 'features'])
