import type { ModelRoute } from '../../api/model-route.ts'

/** An audit that has no judge. */
export interface Unjudged {
  /** `spec.rules[0].audit`. */
  readonly path: string
  readonly message: string
}

/** The audits that have a judge neither of their own nor of their rule's gate. */
export function unjudged({ spec }: ModelRoute): readonly Unjudged[] {
  return spec.rules.flatMap(({ audit, gate }, i) => {
    if (!audit || audit.judge || gate?.judge) return []
    const message =
      'Without a judge every answer that differs from the strong model’s counts as lost: fit for labels, extraction and sums; elsewhere promises that hold are taken back. Name audit.judge.'
    return [{ path: `spec.rules[${i}].audit`, message }]
  })
}
