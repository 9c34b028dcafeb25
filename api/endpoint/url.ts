import { string } from '../../core/schema.ts'
import type { Rule } from '../../core/schema.ts'

/** Regular expressions over a whole URL, since the parts that `url()` gives have no bound and so cost too much for the API server. */
const HOST_END = String.raw`\.?(:[0-9]*)?(/.*)?$`
const BYTE = '([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])'
/** Both cases letter by letter: V8 gets `(?i:…)` wrong in alternatives such as `[0-9]+|0x[0-9a-f]*`, where RE2 does not. */
const anyCase = (text: string) => text.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
/** What a URL parser takes for an IPv4 address, in whatever notation: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const NUMERIC_HOST = String.raw`^[A-Za-z]+://(([^/:@]*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)|\[(0*:)+[fF]{4}:[^/@]*)${HOST_END}`
const DOTTED_HOST = String.raw`^[A-Za-z]+://${BYTE}(\.${BYTE}){3}(:[0-9]*)?(/.*)?$`
/** RFC 3927 and RFC 4291, and where clouds keep their instance metadata. */
const METADATA = [
  String.raw`100\.100\.100\.200`,
  anyCase(String.raw`metadata\.google\.internal`),
  anyCase(String.raw`metadata\.goog`),
  String.raw`\[[fF][dD]00:0?[eE][cC]2:[0:]*:0*254\]`,
].join('|')
const FORBIDDEN_HOST = String.raw`^[A-Za-z]+://(169\.254\..*|\[[fF][eE][89abAB][0-9a-fA-F]:.*|(${METADATA})${HOST_END})`

/** What a URL parser asks of host and port, which Go's, by which `isURL` judges, does not. */
const AUTHORITY = String.raw`^[A-Za-z][^:/]*://([^/?#]*@)?`
const NAME = String.raw`([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])`
const PORT = '0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])?'
export const wellFormed: readonly Rule[] = [
  {
    rule: `!isURL(self) || !self.matches(r'${AUTHORITY}') || self.matches(r'${AUTHORITY}${NAME}?(:[^/?#]*)?([/?#].*)?$')`,
    message: 'The host must be a name, an IPv4 address, or an IPv6 address in brackets.',
  },
  {
    rule: `!isURL(self) || !self.matches(r'${AUTHORITY}${NAME}:[^/?#@]*([/?#].*)?$') || self.matches(r'${AUTHORITY}${NAME}:${PORT}([/?#].*)?$')`,
    message: 'The port must be between 1 and 65535.',
  },
]

export const url = string({
  maxLength: 2048,
  minLength: 1,
  pattern: '^[!-~]*$',
  description: 'The base URL that the provider’s SDK takes (`…/v1` included for OpenAI’s).',
  rules: [
    {
      rule: "isURL(self) && !self.startsWith('/') && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",
      message: 'The URL must be absolute, with scheme http or https and a host.',
    },
    {
      rule: "!self.contains('@') && !self.contains('?') && !self.contains('#')",
      message: 'The URL must have no user information, query or fragment; credentials belong in spec.credentials.',
    },
    ...wellFormed,
    {
      rule: `!isURL(self) || !self.matches(r'${NUMERIC_HOST}') || self.matches(r'${DOTTED_HOST}')`,
      message: 'Write an IPv4 address as four decimal numbers.',
    },
    {
      rule: `!self.matches(r'${FORBIDDEN_HOST}')`,
      message: 'The URL must not point at a link-local or cloud metadata address.',
    },
  ],
})
