import 'reflect-metadata' // the certificate library's container needs it first
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Certificates begin a little in the past, for clocks that are behind. */
const BACKDATE = 5 * 60_000

/** Makes a self-signed root that is good for `validity` ms from `now`. Every root has a name of its own, so that two can be trusted at once. */
export async function makeRoot(validity: number, now: number): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=tradewind ${new Date(now).toISOString()}`,
    ...dates(validity, now),
    signingAlgorithm: KEY,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return pem(certificate, keys.privateKey)
}

/** Issues a server's certificate for DNS names and IP addresses, signed by `root`, good for `validity` ms but never longer than the root. */
export async function issue(root: KeyPair, names: readonly string[], validity: number, now: number): Promise<KeyPair> {
  const authority = new x509.X509Certificate(root.certificate)
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const { notBefore, notAfter } = dates(validity, now)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0] ?? 'tradewind'}`,
    issuer: authority.subject,
    notBefore,
    notAfter: notAfter < authority.notAfter ? notAfter : authority.notAfter,
    signingAlgorithm: KEY,
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(root.key), KEY, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return pem(certificate, keys.privateKey)
}

/** When the certificate was made and when it ends, ms since the epoch. */
export function lifetime(certificate: string): { readonly from: number; readonly until: number } {
  const { notBefore, notAfter } = new x509.X509Certificate(certificate)
  return { from: notBefore.getTime() + BACKDATE, until: notAfter.getTime() }
}

function dates(validity: number, now: number) {
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + validity) }
}

async function pem(certificate: x509.X509Certificate, key: CryptoKey): Promise<KeyPair> {
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`,
  }
}
