import { denied } from './stream.js'

/** Where the token is, for as long as the tab is open and nowhere else: no cookie goes with requests that another site makes. */
const TOKEN = 'tradewind-token'
const NAMESPACE = 'tradewind-namespace'

/** Who is signed in, if anybody has to. */
export const session = {
  get token() {
    return sessionStorage.getItem(TOKEN)
  },
  /** Empty: all namespaces. */
  get namespace() {
    return sessionStorage.getItem(NAMESPACE) ?? ''
  },
  /**
   * @param {string} token
   * @param {string} namespace
   */
  enter(token, namespace) {
    sessionStorage.setItem(TOKEN, token)
    sessionStorage.setItem(NAMESPACE, namespace)
  },
  leave() {
    sessionStorage.removeItem(TOKEN)
    sessionStorage.removeItem(NAMESPACE)
  },
  /** @returns {Record<string, string>} */
  get headers() {
    const { token } = session
    return token ? { authorization: `Bearer ${token}` } : {}
  },
}

/**
 * Asks for JSON; rejects with `Denied`.
 * @param {string} path
 * @param {object} [body] posted, where it is given
 * @param {AbortSignal} [signal]
 * @returns {Promise<unknown>}
 */
export async function ask(path, body, signal) {
  const answer = await fetch(path, {
    method: body ? 'POST' : 'GET',
    headers: { ...session.headers, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
    cache: 'no-store',
  })
  if (!answer.ok) throw await denied(answer)
  return answer.json()
}
