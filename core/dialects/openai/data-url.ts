import type { Source } from '../../chat.ts'

/** `data:image/png;charset=utf-8;base64,AAAA` (RFC 2397): parameters between type and encoding are allowed and say nothing to us. */
const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),/is

/** What a URL of a caller points to: bytes inline for a data URL, else the URL. Undefined for a data URL that is none. */
export function sourceOf(url: string): Source | undefined {
  if (!/^data:/i.test(url)) return /^(https?|gs|s3):\/\/./i.test(url) ? { type: 'url', url } : undefined
  const found = DATA_URL.exec(url)
  if (!found) return undefined
  const mediaType = (found[1] || 'text/plain').toLowerCase()
  const rest = url.slice(found[0].length)
  if (/;base64$/i.test(found[2] ?? '')) return { type: 'base64', mediaType, data: rest.replace(/\s+/g, '') }
  try {
    return { type: 'base64', mediaType, data: Buffer.from(decodeURIComponent(rest)).toString('base64') }
  } catch {
    return undefined
  }
}

/** Whether anybody can fetch it; `s3:` and `gs:` are for those who have a place there. */
export const isOfTheWeb = (url: string): boolean => /^https?:/i.test(url)

/** `s3://` of `s3://…`. */
export const schemeOf = (url: string): string => /^[^:]*:(\/\/)?/.exec(url)?.[0].toLowerCase() ?? 'no URL'

export function dataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`
}
