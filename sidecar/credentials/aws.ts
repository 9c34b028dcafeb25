import { readFile } from 'node:fs/promises'
import { readRoleKeys, roleRequest } from '../../core/aws-credentials.ts'
import type { RoleKeys } from '../../core/aws-credentials.ts'
import { Failure } from '../../core/errors.ts'
import { SigV4 } from '../../core/sigv4.ts'
import type { AwsKeys, AwsScope, Signable } from '../../core/sigv4.ts'
import type { Signer } from '../../core/target.ts'
import { post } from './post.ts'
import type { Way } from './post.ts'
import { Renewed } from './renewed.ts'

/** Signs calls with the keys of a Secret. */
export class KeySigner implements Signer {
  private readonly keys: AwsKeys
  private readonly signature: SigV4

  constructor(keys: AwsKeys, scope: AwsScope) {
    this.keys = keys
    this.signature = new SigV4(keys, scope)
  }

  sign(call: Signable, wall: number): readonly string[] {
    return this.signature.sign(call, wall)
  }

  secrets(): readonly string[] {
    return secretsOf(this.keys)
  }
}

/** Keys of a role with what signs with them. */
interface Signing extends RoleKeys {
  readonly signature: SigV4
}

/** Signs calls with the keys of a role, which are renewed before they end. */
export class RoleSigner implements Signer {
  private readonly keys: Renewed<Signing>

  /** `fetch` rejects with `Failure('credentials_unavailable')`. */
  constructor(fetch: (wall: number) => Promise<RoleKeys>, scope: AwsScope) {
    this.keys = new Renewed(async (wall) => {
      const keys = await fetch(wall)
      return { ...keys, signature: new SigV4(keys, scope) }
    })
  }

  sign(call: Signable, wall: number): readonly string[] | Promise<readonly string[]> {
    const keys = this.keys.get(wall)
    return keys instanceof Promise
      ? keys.then(({ signature }) => signature.sign(call, wall))
      : keys.signature.sign(call, wall)
  }

  secrets(): readonly string[] {
    return this.keys.known.flatMap(secretsOf)
  }
}

const secretsOf = ({ secretAccessKey, sessionToken }: AwsKeys): readonly string[] => [
  secretAccessKey,
  ...(sessionToken === undefined ? [] : [sessionToken]),
]

/** What of the environment is read: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * What asks STS for the keys of the role that the pod's service account has, by the token that Kubernetes keeps in a file: AWS's webhook
 * gives both to a pod (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`). STS is that of the region unless `AWS_ENDPOINT_URL_STS` says
 * another. Rejects with `credentials_unavailable`.
 */
export function webIdentity(environment: Environment, region: string, way: Way): (wall: number) => Promise<RoleKeys> {
  return async (wall) => {
    const {
      AWS_ROLE_ARN: arn,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_SESSION_NAME: session = 'tradewind',
    } = environment
    if (!arn || !file)
      throw unavailable(
        'The pod has no web identity: AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set in the sidecar; give its service account a role.',
      )
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw unavailable(`The token of the pod’s web identity cannot be read from ${file}.`, error)
    })
    const token = text.trim()
    const url = stsUrl(environment, region)
    const whose = `STS at ${url.host} gave no keys`
    let answer: Awaited<ReturnType<typeof post>>
    try {
      answer = await post(url, way, roleRequest({ arn, session, token }))
    } catch (error) {
      throw unavailable(`${whose}: ${error instanceof Error ? error.message : String(error)}.`, error)
    }
    const keys = readRoleKeys(answer.status, answer.body, wall, token)
    if (typeof keys === 'string') throw unavailable(`${whose}: ${keys}.`)
    return keys
  }
}

function stsUrl({ AWS_ENDPOINT_URL_STS: own }: Environment, region: string): URL {
  if (own === undefined || own === '')
    return new URL(`https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`)
  if (URL.canParse(own)) return new URL(own)
  throw unavailable('AWS_ENDPOINT_URL_STS is no URL.')
}

function unavailable(detail: string, cause?: unknown): Failure {
  return new Failure('credentials_unavailable', { detail, cause })
}
