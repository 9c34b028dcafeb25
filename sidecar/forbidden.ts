import { BlockList, isIP } from 'node:net'

/**
 * Addresses that no endpoint may be at: link-local (RFC 3927, RFC 4291) and the metadata services of clouds, which hand out credentials
 * to whoever asks. The API refuses them as literals; this is for what a name resolves to at the moment of connecting.
 */
const forbidden = new BlockList()
forbidden.addSubnet('169.254.0.0', 16, 'ipv4')
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addAddress('fd00:ec2::254', 'ipv6')
forbidden.addAddress('100.100.100.200', 'ipv4')

/** Whether no connection may be made to that IP address; IPv4 in IPv6 (`::ffff:…`) counts as IPv4. Names are not judged. */
export function isForbidden(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && forbidden.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Raised in place of a connection. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
}
