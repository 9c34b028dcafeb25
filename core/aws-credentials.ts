import { withoutPieces } from './credential.ts'
import type { AwsKeys } from './sigv4.ts'

/** Of the words of STS no more is said than this, characters. */
const WORDS = 300

/** Why a text holds no credentials of AWS; its message never holds any of the text. */
export class InvalidAwsCredentials extends Error {
  override readonly name = 'InvalidAwsCredentials'
}

const NAMES = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'] as const

/**
 * Reads what a Secret holds for AWS: keys as the shared credentials file has them (`aws_access_key_id = …`, those of `[default]`, else of
 * the first profile that has any; https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html), or as shells do
 * (`export AWS_ACCESS_KEY_ID=…`), or else the one word of an API key of Bedrock, which goes out as a bearer token
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html). Throws `InvalidAwsCredentials`.
 */
export function readAwsSecret(text: string): AwsKeys | { readonly apiKey: string } {
  const profiles = new Map<string, Map<string, string>>()
  let profile = ''
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]\s*$/.exec(line) ?? []
    if (section !== undefined) profile = section
    const [, name, value] = /^\s*(?:export\s+)?(aws_\w+)\s*=\s*["']?(.*?)["']?\s*$/i.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    const values = profiles.get(profile) ?? new Map<string, string>()
    profiles.set(profile, values.set(name.toLowerCase(), value))
  }
  const values = profiles.get('default') ?? profiles.values().next().value
  if (!values) {
    if (/^[\x21-\x7e]+$/.test(text)) return { apiKey: text }
    throw new InvalidAwsCredentials(
      'The Secret must hold aws_access_key_id and aws_secret_access_key as the shared credentials file has them, or an API key of Bedrock alone.',
    )
  }
  const [accessKeyId, secretAccessKey, sessionToken] = NAMES.map((name) => values.get(name))
  if (!accessKeyId || !secretAccessKey)
    throw new InvalidAwsCredentials('The Secret has no aws_access_key_id, or no aws_secret_access_key.')
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}

/** Keys of a role, for a while. */
export interface RoleKeys extends AwsKeys {
  /** ms since the epoch. */
  readonly expires: number
}

interface Role {
  readonly arn: string
  /** Names who took the role, in AWS's own logs. */
  readonly session: string
  /** The web identity's: a JWT. */
  readonly token: string
}

/** The form that asks STS for the keys of a role: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export function roleRequest({ arn, session, token }: Role): string {
  return new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: session,
    WebIdentityToken: token,
  }).toString()
}

/**
 * What STS answered: keys, or why there are none, in words without any of `sent`, the token that it got. It speaks XML, in which none of
 * these values has anything to be unescaped.
 */
export function readRoleKeys(status: number, body: string, wall: number, sent: string): RoleKeys | string {
  const value = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1]?.trim() ?? ''
  if (status !== 200) {
    const words = withoutPieces(`${value('Code')}: ${value('Message')}`, sent).slice(0, WORDS)
    return `status ${status}${words === ': ' ? '' : `, ${words}`}`
  }
  const accessKeyId = value('AccessKeyId')
  const secretAccessKey = value('SecretAccessKey')
  const sessionToken = value('SessionToken')
  const expires = Date.parse(value('Expiration'))
  if (accessKeyId === '' || secretAccessKey === '' || sessionToken === '' || Number.isNaN(expires))
    return 'its answer has no credentials'
  return expires <= wall
    ? 'the credentials have expired already'
    : { accessKeyId, secretAccessKey, sessionToken, expires }
}
