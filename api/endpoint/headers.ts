import { array, map, object, optional, string } from '../../core/schema.ts'
import { HEADER } from '../names.ts'

const FORBIDDEN_HEADERS =
  "['host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'content-length', 'te', 'trailer', 'upgrade', 'expect', 'authorization', 'proxy-authorization']"
export const headers = object(
  {
    set: optional(
      map(string({ maxLength: 4096, pattern: '^[\\t\\x20-\\x7e]*$', description: 'The value.' }), {
        maxProperties: 32,
        description: 'Headers that are set, replacing the caller’s.',
        rules: [
          {
            rule: `self.all(name, !(name.lowerAscii() in ${FORBIDDEN_HEADERS}))`,
            message:
              'Hop-by-hop headers, host, content-length and authorization cannot be set; use spec.address and spec.credentials.',
          },
          {
            rule: "self.all(name, name.matches('^[A-Za-z0-9!#$%&*+.^_|~-]+$') && size(name) <= 256)",
            message: 'Header names are tokens of at most 256 characters.',
          },
        ],
      }),
    ),
    remove: optional(
      array(
        string({ maxLength: 256, minLength: 1, pattern: HEADER, description: 'The name of a header, in any case.' }),
        { maxItems: 32, set: true, description: 'Headers of the caller that do not go on.' },
      ),
    ),
  },
  { description: 'Headers towards the provider.' },
)
