/** Where callers of some dialects put their key; ours goes in its place, and theirs nowhere. */
const CREDENTIALS: ReadonlySet<string> = new Set(['key', 'access_token', 'api_key'])

/** A provider's path with the caller's query: what the provider's path says itself stays, and no credential goes on. */
export function joinQuery(path: string, query: string): string {
  if (query === '' || query === '?') return path
  const mark = path.indexOf('?')
  const own = new Set(mark < 0 ? [] : [...new URLSearchParams(path.slice(mark)).keys()])
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => {
      const [name = ''] = new URLSearchParams(pair).keys()
      return pair !== '' && !own.has(name) && !CREDENTIALS.has(name)
    })
  return kept.length === 0 ? path : `${path}${mark < 0 ? '?' : '&'}${kept.join('&')}`
}
