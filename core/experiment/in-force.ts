/** What was decided of the experiment of a rule, as far as it changes what sidecars are to do. */
export interface ExperimentInForce {
  readonly rule: string
  /** Of the experiment that it was decided of: what another one of the rule does follows from its own. */
  readonly version: string
  /** It does not run, or no longer: nothing is counted. */
  readonly over: boolean
  /** The arm that all requests go to, where the decision ships. */
  readonly winner: string | undefined
  /** Nobody is assigned to arms: it has to wait for another. */
  readonly waits: boolean
}
