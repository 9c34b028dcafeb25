import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

/** The key by which an API server signs and knows the tokens of its ServiceAccounts. */
export interface ServiceAccountKey {
  /** PEM (PKCS #8), for `--service-account-signing-key-file`. */
  readonly privateKey: string
  /** PEM (SPKI), for `--service-account-key-file`. */
  readonly publicKey: string
  /** A JSON Web Token (RS256) with these claims, as the API server itself would sign it. */
  readonly sign: (claims: object) => string
}

/** Makes a new key of 2048 bits. */
export function makeServiceAccountKey(): ServiceAccountKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' })
  // Kubernetes names a key by the hash of its public part.
  const kid = createHash('sha256').update(spki).digest('base64url')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    privateKey,
    publicKey,
    sign: (claims) => {
      const signed = `${encode({ alg: 'RS256', kid })}.${encode(claims)}`
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
    },
  }
}
