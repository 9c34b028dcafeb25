/** An event of the audit log (audit.k8s.io/v1): the parts that tests read. */
export interface AuditEvent {
  readonly verb: string
  readonly stage: string
  readonly requestURI: string
  readonly userAgent?: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code: number }
  /** `authorization.k8s.io/decision` (`allow`, `forbid`) and `authorization.k8s.io/reason` among them. */
  readonly annotations?: Readonly<Record<string, string>>
  /** The body, for the kinds of `tradewind.dev`. */
  readonly requestObject?: unknown
}

/** Requests of our own kinds whole, so that a test can see what was written; of the rest, who did what to which. */
export const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- {level: Request, resources: [{group: tradewind.dev}]}
- {level: Metadata}
`

/** The events of an audit log, oldest first. */
export function parseAuditLog(text: string): AuditEvent[] {
  // The last line may be half written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  // The API server writes audit.k8s.io/v1 events, of which AuditEvent is a part.
  return lines.filter(Boolean).map((line) => JSON.parse(line) as AuditEvent)
}
