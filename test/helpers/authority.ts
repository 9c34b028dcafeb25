import 'reflect-metadata' // the certificate library's container needs it first
import * as x509 from '@peculiar/x509'

export interface KeyPair {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A certificate authority with one certificate for each name that is given, all PEM; an IP address is a name too. */
export async function authority<const N extends string>(
  ...names: readonly N[]
): Promise<{ readonly ca: string; readonly of: Readonly<Record<N, KeyPair>> }> {
  x509.cryptoProvider.set(crypto)
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test authority',
    keys,
    ...validity,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  const issue = async (name: string): Promise<KeyPair> => {
    const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const cert = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: root.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity,
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: /^[\d.]+$/.test(name) ? 'ip' : 'dns', value: name }]),
      ],
    })
    const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY')
    return { cert: cert.toString('pem'), key }
  }
  const issued = await Promise.all(names.map(async (name) => [name, await issue(name)] as const))
  // There is one for each of the names.
  return { ca: root.toString('pem'), of: Object.fromEntries(issued) as Record<N, KeyPair> }
}
