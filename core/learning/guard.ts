import type { Artefact } from './artefact.ts'
import { Audit, AUDIT_DEFAULTS } from './audit.ts'
import type { Alarm, AuditState, Verdict } from './audit.ts'
import { LARGEST_PSI, voidReason } from './certificate.ts'
import type { Certificate, VoidReason } from './certificate.ts'
import { Drift } from './drift.ts'
import { familiarity, readNovelty } from './novelty.ts'
import { pairScore, readPromises } from './promises.ts'
import type { Promised } from './promises.ts'

/** Why a request goes to the strong model. */
export type StrongReason = 'uncertified' | 'novel' | 'unsure' | 'alarmed' | 'prompts-shifted' | VoidReason

/** What the promises of an artefact allow for one request. */
export interface Guarded {
  /** The model that the promise lets answer; the strong one where there is a reason. */
  readonly model: string
  readonly reason?: StrongReason
  /** Of the cheap model that the segment has a certificate for; 0 where it has none. */
  readonly score: number
  /** Scores from here on stay cheap. */
  readonly threshold: number
  /** Worth being answered by both models, so that somebody knows what came of it: since it stays cheap, or since it is like nothing that was trained on. */
  readonly audit: 'kept' | 'novel' | undefined
  /** The cheap model that the segment has a certificate for: what the strong one is to be compared with. */
  readonly weak: string | undefined
}

/** What audits have found, by segment: JSON. */
export interface GuardState {
  readonly segments: Readonly<Record<string, AuditState>>
}

/** How one promise stands. */
export interface Standing {
  readonly segment: string
  /** The cheap model that it lets answer. */
  readonly weak: string
  /** Scores from here on stay cheap: as certified, and now; Infinity: none does. */
  readonly certified: number
  readonly threshold: number
  /** What the certificate says may be lost in the mean. */
  readonly epsilon: number
  /** The day it ends, as YYYY-MM-DD. */
  readonly expires: string
  /** Audited requests, and what they say against the promise: 1 is nothing, 1 ÷ alpha alarms. */
  readonly audits: number
  readonly evidence: number
  /** The last, where there was one. */
  readonly alarm: Alarm | undefined
  /** Of the scores, over the last whole window. */
  readonly psi: number
}

interface Watched {
  readonly weak: number
  readonly name: string
  readonly certificate: Certificate
  readonly audit: Audit
  readonly scores: Drift
}

/**
 * Holds what an artefact promises while it serves: who may answer a request in the strong model's place, and what is watched so that a promise that no longer
 * holds is no longer followed. One for each artefact and sidecar; its state is what was seen since it was loaded.
 */
export class Guard {
  readonly strong: string
  /** Which field names the segment of a request; `*`: all are one. */
  readonly field: string
  /** Hears of each audit that was taken in. */
  onAudit: (() => void) | undefined
  /** It is only asked what would become of requests: they are not among those that it watches. */
  held = false
  private readonly segments: ReadonlyMap<string, Watched>
  private readonly familiar: (text: string) => number
  private readonly floor: number
  private readonly prompts: Drift
  private readonly place: number

  private constructor(artefact: Artefact, promises: Uint8Array, novelty: Uint8Array) {
    const { strong, field, made, familiarity: spread } = readPromises(promises)
    const known = readNovelty(novelty)
    this.strong = strong
    this.field = field
    this.place = artefact.models.indexOf(strong)
    this.floor = known.floor
    this.familiar = (text) => familiarity(known, artefact.standard, artefact.features(text))
    this.prompts = new Drift(spread)
    const segments = new Map<string, Watched>()
    for (const one of made) {
      const watched = watchedOf(one, artefact)
      const before = watched && segments.get(watched.certificate.segment)
      // Of several cheap models the one that may answer most: their certificates hold together.
      if (watched && (!before || before.certificate.share < watched.certificate.share))
        segments.set(watched.certificate.segment, watched)
    }
    this.segments = segments
  }

  /** The guard of an artefact; undefined where it promises nothing. Throws `ArtefactError` where a section is not what it says. */
  static of(artefact: Artefact): Guard | undefined {
    const [promises, novelty] = [artefact.sections.get('promises'), artefact.sections.get('novelty')]
    return promises && novelty && new Guard(artefact, promises, novelty)
  }

  /**
   * Who may answer a text. `quality` is what the artefact's heads say of it; `segment` what the request has in the field that segments are named by;
   * `now` in ms since 1970. Every request is shown to it once, since it watches whether they are still those that were certified.
   */
  route(segment: string, text: string, quality: ArrayLike<number>, now: number): Guarded {
    const familiar = this.familiar(text)
    if (!this.held) this.prompts.observe(familiar)
    const watched = this.segments.get(this.field === '*' ? '*' : segment)
    const novel = familiar < this.floor
    if (!watched) return this.toStrong('uncertified', 0, Infinity, undefined)
    const { weak, name, certificate, audit, scores } = watched
    const score = pairScore(quality[weak] ?? 0, quality[this.place] ?? 0)
    const { threshold } = audit.verdict
    if (novel) return this.toStrong('novel', score, threshold, name)
    if (!this.held) scores.observe(score)
    const reason =
      voidReason(certificate, now, scores.psi) ??
      (this.prompts.psi > LARGEST_PSI
        ? 'prompts-shifted'
        : threshold === Infinity
          ? 'alarmed'
          : score < threshold
            ? 'unsure'
            : undefined)
    if (reason) return this.toStrong(reason, score, threshold, name)
    return { model: name, score, threshold, audit: 'kept', weak: name }
  }

  /** Takes what came of an audited request that stayed cheap: its score, and the strong answer's quality less the cheap one's, in [-1, 1]. */
  audited(segment: string, score: number, loss: number): Verdict | undefined {
    const verdict = this.segments.get(this.field === '*' ? '*' : segment)?.audit.update(score, loss)
    if (verdict) this.onAudit?.()
    return verdict
  }

  /** How its promises stand. */
  standings(): readonly Standing[] {
    return [...this.segments.values()].map(({ name, certificate, audit, scores }) => ({
      segment: certificate.segment,
      weak: name,
      certified: certificate.threshold,
      ...audit.verdict,
      epsilon: certificate.epsilon,
      expires: certificate.expires,
      audits: audit.audits,
      alarm: audit.alarm,
      psi: scores.psi,
    }))
  }

  /** The population stability index of the prompts' familiarity, over the last whole window. */
  get psi(): number {
    return this.prompts.psi
  }

  get state(): GuardState {
    return { segments: Object.fromEntries([...this.segments].map(([name, { audit }]) => [name, audit.state])) }
  }

  /** Goes on from where another guard of the same artefact stood. */
  restore({ segments }: GuardState): void {
    for (const [name, state] of Object.entries(segments)) this.segments.get(name)?.audit.restore(state)
  }

  private toStrong(reason: StrongReason, score: number, threshold: number, weak: string | undefined): Guarded {
    return { model: this.strong, reason, score, threshold, audit: reason === 'novel' ? 'novel' : undefined, weak }
  }
}

function watchedOf({ weak: name, made, scores }: Promised, { models }: Artefact): Watched | undefined {
  const weak = models.indexOf(name)
  if (made.kind === 'Refusal' || weak < 0) return undefined
  return { weak, name, certificate: made, audit: new Audit({ ...AUDIT_DEFAULTS, ...made }), scores: new Drift(scores) }
}
