/** Takes what is not to be written down out of a text. */
export type Redaction = (text: string) => string

/** What stands in the place of what was taken out. */
export const REDACTED = '[redacted]'

/** What is taken out of every text; the order counts, the longest first. All take time in proportion to the text. */
const ALWAYS: readonly RegExp[] = [
  // PEM blocks of keys.
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g,
  // JSON Web Tokens (RFC 7519).
  /\beyJ[\w-]{8,2048}\.[\w-]{8,4096}\.[\w-]{0,1024}/g,
  // Keys by their prefixes: OpenAI and Anthropic, GitHub, Slack, AWS, Google, Stripe, Hugging Face.
  /\b(?:sk|rk|pk)[-_](?:[\w]{1,16}[-_]){0,3}\w{16,200}/g,
  /\b(?:gh[pousr]_\w{20,255}|github_pat_\w{20,255}|xox[abprs]-[\w-]{10,250}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|hf_\w{20,100})/g,
  // What follows the names of credentials.
  /\b(?:bearer|basic)\s{1,3}[\w.~+/-]{12,2048}={0,2}/gi,
  /\b(?:password|passwd|passphrase|secret|api[-_ ]?key|access[-_ ]?token)\b["']?\s{0,3}[:=]\s{0,3}["']?[^\s"',;]{4,256}/gi,
  // Addresses of electronic mail.
  /\b[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g,
  // IBAN (ISO 13616).
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g,
  // Numbers of the United States' social security, and of telephones with their country.
  /\b\d{3}-\d{2}-\d{4}\b/g,
  /\+\d{1,3}[ ().-]{0,2}(?:\d[ ().-]{0,2}){6,13}\d/g,
]

/** Thirteen to nineteen digits with blanks or hyphens between. */
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g

/** Takes out what is always taken out, and what a route's own redactions name besides. */
export function redacted(text: string, own: readonly Redaction[]): string {
  let safe = text
  for (const redact of own) safe = redact(safe)
  for (const pattern of ALWAYS) safe = safe.replace(pattern, REDACTED)
  return safe.replace(CARD, (number) => (isCard(number) ? REDACTED : number))
}

/** Whether the check digit of a payment card's number is right (Luhn, ISO/IEC 7812-1). */
function isCard(number: string): boolean {
  const digits = number.replaceAll(/\D/g, '').split('').map(Number)
  const sum = digits.toReversed().reduce((all, digit, at) => {
    const doubled = at % 2 === 0 ? digit : digit * 2
    return all + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}
