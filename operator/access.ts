import { GROUP } from '../api/resource.ts'
import { ApiError, type ApiServer } from './api-server.ts'
import { Refused } from './authenticate.ts'

/** What somebody would do, in words of RBAC; without a namespace everywhere, without a name to all. */
export interface Deed {
  readonly verb: string
  /** Of group tradewind.dev. */
  readonly resource: 'sidecars' | 'rollouts'
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

/** A deed in the words of an access review. */
export function attributesOf({ verb, resource, namespace, name }: Deed): object {
  return { verb, group: GROUP, resource, ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }
}

/** A deed as people read it: `promote rollouts.tradewind.dev chat in namespace ai`. */
export function spelled({ verb, resource, namespace, name }: Deed): string {
  const what = `${verb} ${resource}.${GROUP}${name ? ` ${name}` : ''}`
  return `${what} ${namespace ? `in namespace ${namespace}` : 'in all namespaces'}`
}

/** Resolves where the token's bearer may do it, as the API server says, asked with that token; rejects with `Refused`. */
export async function allow(api: ApiServer, token: string | undefined, deed: Deed): Promise<void> {
  const review = await asBearer<{ status?: { allowed?: boolean } }>(api, token, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: attributesOf(deed) },
  })
  if (!review.status?.allowed) throw new Refused(403, `You may not ${spelled(deed)}.`)
}

/** Who the token's bearer is to the API server; rejects with `Refused`. */
export async function nameOf(api: ApiServer, token: string | undefined): Promise<string> {
  const review = await asBearer<{ status?: { userInfo?: { username?: string } } }>(api, token, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  })
  return review.status?.userInfo?.username ?? 'unknown'
}

/** Creates a review that everybody may create of themselves. */
async function asBearer<T>(
  api: ApiServer,
  token: string | undefined,
  body: { readonly apiVersion: string; readonly kind: string; readonly spec?: object },
): Promise<T> {
  if (!token) throw new Refused(401, 'No token: send one for the API server as `Authorization: Bearer …`.')
  try {
    return await api.call<T>('POST', `/apis/${body.apiVersion}/${body.kind.toLowerCase()}s`, { token, body })
  } catch (error) {
    if (error instanceof ApiError && error.status === 401)
      throw new Refused(401, 'The API server does not know the token.')
    throw error
  }
}
