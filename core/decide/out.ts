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
  | 'feedback'
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
  feedback: 2,
  quality: 3,
  quality_unknown: 4,
  not_promised: 5,
  output_tokens: 6,
  context_window: 7,
  unavailable: 8,
}

/** What a target lacks, and what nothing can be done about. */
export const INCAPABLE: ReadonlySet<OutCode> = new Set(['input', 'features'])
