import { bandits } from './bandits.ts'
import { audit } from './audit.ts'
import { cascade } from './cascade.ts'
import { certificates } from './certificate.ts'
import { classifier } from './classifier.ts'
import { FILES, readRows } from './data.ts'
import type { Row, TierRow } from './data.ts'
import { decisionLog } from './decision-log.ts'
import { domain } from './domain.ts'
import { tiers } from './tiers.ts'
import { times } from './times.ts'
import { endToEnd } from './end-to-end.ts'
import { pacing } from './pacing.ts'
import { signals } from './signals.ts'

/** A part of the benchmark of routing: one file here, and one line below. */
export interface Part {
  readonly name: string
  readonly title: string
  /** Measures on the sets of a folder; Markdown without a heading. */
  readonly run: (folder: string) => string | Promise<string>
}

const routellm = (folder: string): readonly Row[] => readRows(folder, FILES.routellm)
const zeroeval = (folder: string): readonly Row[] => readRows(folder, FILES.zeroeval)

/** Every part, in the order of the results. */
export const parts: readonly Part[] = [
  {
    name: 'classifier',
    title: 'Classifier',
    run: (folder) => classifier(routellm(folder)),
  },
  { name: 'tiers', title: 'Tier labels', run: (folder) => tiers(readRows<TierRow>(folder, FILES.tiers)) },
  { name: 'time', title: 'Time of a decision', run: (folder) => times(routellm(folder)) },
  { name: 'signals', title: 'What looking into a request takes', run: () => signals() },
  { name: 'cascade', title: 'Cascades', run: (folder) => cascade(zeroeval(folder)) },
  { name: 'certificate', title: 'Certificates', run: (folder) => certificates(zeroeval(folder), routellm(folder)) },
  { name: 'bandits', title: 'Bandits', run: (folder) => bandits(zeroeval(folder)) },
  { name: 'decision-log', title: 'What writing a decision down takes', run: () => decisionLog() },
  { name: 'end-to-end', title: 'End to end', run: (folder) => endToEnd(zeroeval(folder)) },
  { name: 'pacing', title: 'Pacing a budget', run: (folder) => pacing(routellm(folder)) },
  { name: 'audit', title: 'Audits in service', run: (folder) => audit(zeroeval(folder)) },
  { name: 'domain', title: 'Out of domain', run: (folder) => domain(routellm(folder), zeroeval(folder)) },
]
