import { object, string } from '../../core/schema.ts'
import { wellFormed } from './url.ts'

export const proxy = object(
  {
    url: string({
      maxLength: 2048,
      minLength: 1,
      pattern: '^[!-~]*$',
      description: 'The URL of an HTTP proxy that takes CONNECT.',
      rules: [
        {
          rule: "isURL(self) && !self.startsWith('/') && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@')",
          message: 'The proxy URL must be absolute, http or https, with a host and no user information.',
        },
        ...wellFormed,
      ],
    }),
  },
  {
    description:
      'The proxy towards the endpoint. Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the sidecar’s environment.',
  },
)
