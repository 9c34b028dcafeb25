import fc from 'fast-check'

/** The first, nine times of ten. */
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
const byte = fc.nat(255)
const numeral = (value: number) =>
  fc.constantFrom(
    `${value}`,
    `0x${value.toString(16)}`,
    `0${value.toString(8)}`,
    `0X${value.toString(16).toUpperCase()}`,
  )
const quad = fc
  .oneof(
    fc.tuple(byte, byte, byte, byte),
    fc.constant([169, 254, 169, 254] as const),
    fc.constant([100, 100, 100, 200] as const),
  )
  .chain((bytes) => fc.tuple(...bytes.map(numeral)))
const long = fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0xa9fea9fe, 0x646464c8)).chain(numeral)
const group = fc.nat(0xffff).map((value) => value.toString(16))
const ipv6 = fc.oneof(
  fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
  fc.constantFrom(
    '::1',
    'fe80::1',
    'FE80::1',
    'febf::',
    'fd00:ec2::254',
    'fd00:0ec2:0:0:0:0:0:254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::FFFF:169.254.1.1',
    '0::ffff:7f00:1',
    '0:0::ffff:a9fe:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '64:ff9b::1',
    'fe80::1%25eth0',
    ':::',
    '1::2::3',
    '2001:db8::',
  ),
)
const host = fc.oneof(
  quad.map((parts) => parts.join('.')),
  long,
  ipv6.map((address) => `[${address}]`),
  fc.domain(),
  fc.constantFrom(
    'metadata.google.internal',
    'METADATA.google.internal.',
    'metadata.goog',
    'localhost',
    'a_b.c',
    'x..y',
    '-',
    '.',
    '',
    '1',
    '1.2.3',
    '0x',
    'a.0x',
    '169%2e254.169.254',
    '１６９.254.169.254',
    'ß.de',
    'a b',
    'a<b',
    'a|b',
    'a"b',
    '[1',
    '1]',
  ),
)
/** URLs, well formed or nearly, with hosts in every notation that leads, or may seem to lead, to an address of special use. */
export const urls: fc.Arbitrary<string> = fc
  .tuple(
    mostly('http', 'https', 'HTTP', 'ftp', 'h ttp', ''),
    mostly('://', ':', ':/', ':///', '//'),
    mostly('', 'me@', 'me:pw@', '@', 'a@b@'),
    host,
    fc.oneof(
      fc.constantFrom('', '', '', '.', ':', ':0', ':080', ':65536', ':1x', ':-1'),
      fc.nat(70_000).map((port) => `:${port}`),
    ),
    fc.constantFrom('', '', '/', '/v1', '/%zz', '/%2e', '?q', '#f', '\\', '/a b', '/\u00e9'),
  )
  .map((parts) => parts.join(''))
