/**
 * Whether the host of a URL is this machine, by name or by number: 127.0.0.0/8, ::1, the unspecified addresses (which connect to loopback),
 * IPv4-mapped forms of them, and `localhost` (RFC 6761, section 6.3). What other names resolve to is checked where they are connected to.
 */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  // The WHATWG parser has brought decimal, octal and hexadecimal forms of an IPv4 address to dotted decimal, and IPv6 to its short form.
  const host = new URL(url).hostname.replace(/\.$/, '')
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    /^(127|0)\.\d+\.\d+\.\d+$/.test(host) ||
    host === '[::1]' ||
    host === '[::]' ||
    /^\[::ffff:(7f[0-9a-f]{2}|0):/.test(host)
  )
}
