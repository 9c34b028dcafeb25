import { object, string } from '../../core/schema.ts'
import { DNS_NAME } from '../names.ts'

/** The name of a Secret of the endpoint’s namespace. */
export const secretName = (description: string) =>
  string({ maxLength: 253, minLength: 1, pattern: DNS_NAME, description })

/** A Secret of the endpoint’s namespace, and a key of it. */
export const secretKey = (description: string, key: string) =>
  object(
    {
      name: secretName(
        'The Secret’s name, in the endpoint’s namespace. It carries the label `tradewind.dev/use: credentials`.',
      ),
      key: string({
        maxLength: 253,
        minLength: 1,
        pattern: '^[-._a-zA-Z0-9]+$',
        default: key,
        description: 'The key in the Secret’s data.',
      }),
    },
    { description },
  )
