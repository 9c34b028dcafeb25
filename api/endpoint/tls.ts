import { object, optional, string } from '../../core/schema.ts'
import { DNS_NAME } from '../names.ts'
import { secretKey, secretName } from './secret-key.ts'

export const tls = object(
  {
    ca: optional(
      secretKey(
        'A Secret with the PEM certificates that are trusted instead of the system’s; and besides them towards the servers of tokens (Google’s, STS).',
        'ca.crt',
      ),
    ),
    clientCertificate: optional(
      object(
        {
          name: secretName(
            'The name of a `kubernetes.io/tls` Secret (`tls.crt`, `tls.key`) in the endpoint’s namespace, with the label `tradewind.dev/use: credentials`.',
          ),
        },
        { description: 'The certificate that the sidecar shows.' },
      ),
    ),
    serverName: optional(
      string({
        maxLength: 253,
        minLength: 1,
        pattern: DNS_NAME,
        description:
          'The name asked for in the handshake and expected in the certificate. Default: the host of the address.',
      }),
    ),
  },
  { description: 'TLS towards the endpoint.' },
)
