import {
  ROLLOUT_ANNOTATION,
  annotationFault,
  readRolloutAnnotation,
  rulesWithRollout,
} from '../api/rollout-annotation.ts'
import { attributesOf, spelled } from './access.ts'
import type { Deed } from './access.ts'
import type { ApiServer } from './api-server.ts'

/** `userInfo` of an admission request, `authentication.k8s.io/v1`. */
export interface UserInfo {
  readonly username?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Resolves with whether a user may do it. */
export type May = (user: UserInfo, deed: Deed & { readonly namespace: string }) => Promise<boolean>

/** What is read of a route, before its schema has checked it. */
interface Route {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> }
  readonly spec?: { readonly rules?: readonly { readonly name?: string; readonly rollout?: unknown }[] }
}

export interface Change {
  readonly namespace: string
  readonly name: string
  readonly before: unknown
  readonly after: unknown
  readonly user: UserInfo
}

/** Why a change is refused: an HTTP status and a sentence. */
export interface Objection {
  readonly code: 403 | 422 | 503
  readonly message: string
}

/**
 * Asks the API server about somebody else: by a SubjectAccessReview, or where there is no right over the whole cluster
 * (`local`) by a LocalSubjectAccessReview in the namespace.
 */
export function accessReviewer(api: ApiServer, local: boolean): May {
  return async ({ username: user, uid, groups, extra }, deed) => {
    const at = local ? `namespaces/${deed.namespace}/localsubjectaccessreviews` : 'subjectaccessreviews'
    const review = await api.call<{ status?: { allowed?: boolean } }>('POST', `/apis/authorization.k8s.io/v1/${at}`, {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: local ? 'LocalSubjectAccessReview' : 'SubjectAccessReview',
        ...(local ? { metadata: { namespace: deed.namespace } } : {}),
        spec: { user, uid, groups, extra, resourceAttributes: attributesOf(deed) },
      },
    })
    return review.status?.allowed ?? false
  }
}

/**
 * What speaks against a change of the annotation by which rollouts are moved: that it cannot be read, that no rule has such a rollout, or
 * that who changes it may not do what it asks for. A value that goes asks for nothing; nor does one that stays as it is, but of rollouts
 * that were not there: a rule of another name would else be promoted by what somebody said of the one before.
 */
export async function objection(
  { namespace, name, before, after, user }: Change,
  may: May,
): Promise<Objection | undefined> {
  const value = valueOf(after)
  if (value === undefined) return undefined
  const same = value === valueOf(before)
  const read = readRolloutAnnotation(value)
  const fault = annotationFault(value, rulesOf(after))
  if ('wrong' in read || fault !== undefined) return same ? undefined : { code: 422, message: fault ?? '' }
  const known = same ? rulesOf(before) : []
  if (rulesOf(after).every((rule) => known.includes(rule) || (read.rule ?? rule) !== rule)) return undefined
  const deed = { verb: read.verb, resource: 'rollouts', namespace, name } as const
  try {
    if (await may(user, deed)) return undefined
  } catch (error) {
    return { code: 503, message: `The API server could not say whether you may ${spelled(deed)}: ${String(error)}` }
  }
  return {
    code: 403,
    message: `${user.username ?? 'You'} may not ${spelled(deed)}, which ${ROLLOUT_ANNOTATION} asks for.`,
  }
}

function valueOf(route: unknown): string | undefined {
  const value = (route as Route | null | undefined)?.metadata?.annotations?.[ROLLOUT_ANNOTATION] // an object of the API server's
  return typeof value === 'string' && value !== '' ? value : undefined
}

function rulesOf(route: unknown): readonly string[] {
  const { rules } = (route as Route).spec ?? {} // it has been asked for its annotations
  return Array.isArray(rules) ? rulesWithRollout(rules as NonNullable<NonNullable<Route['spec']>['rules']>) : [] // a list of rules
}
