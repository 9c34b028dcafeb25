import { createHash } from 'node:crypto'
import { type Answer, whole } from '../answer.ts'
import type { MockRequest } from '../providers/provider.ts'

/** Keys of a role, as STS names them: the same secret and token for the same id, so that the server need not remember. */
export function roleKeys(
  accessKeyId: string,
): Readonly<Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string>> {
  const of = (what: string): string => createHash('sha256').update(`${what} of ${accessKeyId}`).digest('base64')
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: of('secret').slice(0, 40),
    SessionToken: `FwoGZXIvYXdzE${of('token')}`,
  }
}

/** Whether it is for the token service, which has the root as its path, and forms as its bodies. */
export function asksSts({ method, path, headers }: MockRequest): boolean {
  const type = headers['content-type'] ?? ''
  return method === 'POST' && path === '/' && type.startsWith('application/x-www-form-urlencoded')
}

const ARN = /^arn:aws(-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]+$/
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** `AssumeRoleWithWebIdentity`: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html. `now` in ms. */
export function sts({ bytes }: MockRequest, now: number): Answer {
  const form = new URLSearchParams(bytes.toString())
  const need = (name: string, pattern: RegExp): string | undefined =>
    pattern.test(form.get(name) ?? '') ? undefined : name
  if (form.get('Action') !== 'AssumeRoleWithWebIdentity' || form.get('Version') !== '2011-06-15')
    return error('InvalidAction', `Could not find operation ${form.get('Action')} for version ${form.get('Version')}`)
  const wrong = need('RoleArn', ARN) ?? need('RoleSessionName', /^[\w+=,.@-]{2,64}$/) ?? need('WebIdentityToken', /./)
  if (wrong !== undefined)
    return error('ValidationError', `1 validation error detected: Value at '${wrong}' failed to satisfy constraint`)
  const token = form.get('WebIdentityToken') ?? ''
  if (!JWT.test(token))
    return error(
      'InvalidIdentityToken',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    )
  const seconds = Number(form.get('DurationSeconds') ?? 3600)
  if (!(seconds >= 900 && seconds <= 43_200))
    return error('ValidationError', `Value '${seconds}' at 'durationSeconds' failed to satisfy constraint`)
  const id = `ASIA${createHash('sha256').update(`${token}${now}`).digest('hex').slice(0, 16).toUpperCase()}`
  const members = { ...roleKeys(id), Expiration: new Date(now + seconds * 1000).toISOString() }
  const credentials = Object.entries(members)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')
  return whole(
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    'text/xml',
  )
}

function error(code: string, message: string): Answer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
  return { ...whole(body, 'text/xml'), status: 400 }
}
