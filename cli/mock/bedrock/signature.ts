import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { MockRequest } from '../providers/provider.ts'
import { roleKeys } from './sts.ts'
import { invalid } from './words.ts'

const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
const REFUSED = 403
const FIVE_MINUTES = 300_000

/**
 * Checks the Signature Version 4 of a request (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
 * by `key`, which is `ACCESSKEYID:SECRET`; keys that this server's STS gave out are as good. A key without a colon is an API key, to be
 * shown as a bearer token. Throws what AWS says.
 */
export function checkSignature(request: MockRequest, key: string, now: number): void {
  const { authorization = '' } = request.headers
  const [id, secret] = key.split(/:(.*)/s)
  if (secret === undefined) {
    if (same(authorization, `Bearer ${key}`)) return
    throw invalid('Authentication failed: Please make sure your API Key is valid.', 'AccessDeniedException', REFUSED)
  }
  if (authorization === '')
    throw invalid('Missing Authentication Token', 'MissingAuthenticationTokenException', REFUSED)
  const [, accessKey, day, region, service, names, signature] = FORM.exec(authorization) ?? []
  if (!accessKey || !day || !region || !service || !names || !signature)
    throw invalid(
      'Authorization header requires existence of either a X-Amz-Date or a Date header, Credential, SignedHeaders and Signature.',
      'IncompleteSignatureException',
      REFUSED,
    )
  const token = request.headers['x-amz-security-token']
  const role = roleKeys(accessKey)
  const secretKey = accessKey === id ? secret : token === role.SessionToken ? role.SecretAccessKey : undefined
  if (secretKey === undefined || (accessKey === id && token !== undefined))
    throw invalid('The security token included in the request is invalid.', 'UnrecognizedClientException', REFUSED)
  if (service !== 'bedrock') throw mismatch(`Credential should be scoped to correct service: 'bedrock'.`)
  const date = String(request.headers['x-amz-date'])
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z'))
  if (!(Math.abs(now - at) < FIVE_MINUTES))
    throw mismatch(`Signature expired: ${date} is now earlier than ${new Date(now - FIVE_MINUTES).toISOString()}`)
  if (!date.startsWith(day))
    throw mismatch('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.')
  const signed = names.split(';')
  const must = ['host', 'x-amz-date', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  const missing = must.find((name) => !signed.includes(name))
  if (missing !== undefined) throw mismatch(`'${missing}' must be a 'SignedHeader' in the AWS Authorization.`)
  const canonical = [
    request.method,
    // Encoded once more than it came.
    request.path.split('/').map(encoded).join('/'),
    [...request.query]
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .toSorted()
      .join('&'),
    ...signed.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    names,
    sha256(request.bytes),
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const derived = [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretKey}`))
  const expected = hmac(derived, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
  if (!same(signature, expected))
    throw mismatch(
      `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. The Canonical String for this request should have been '${canonical}'`,
    )
}

function mismatch(message: string) {
  return invalid(message, 'InvalidSignatureException', REFUSED)
}

function same(a: string, b: string): boolean {
  const [given, wanted] = [Buffer.from(a), Buffer.from(b)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

function encoded(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      /[\w.~-]/.test(String.fromCharCode(byte)) && byte < 128
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
