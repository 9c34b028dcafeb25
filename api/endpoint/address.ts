import { choice, integer, object, optional, string } from '../../core/schema.ts'
import { DNS_LABEL } from '../names.ts'
import { labelSelector } from '../selector.ts'
import { url } from './url.ts'

const port = (description: string) => integer({ minimum: 1, maximum: 65535, description })
const scheme = choice(['http', 'https'], { default: 'http', description: 'How the address is spoken to.' })
const path = string({
  maxLength: 1024,
  pattern: '^(/[^?#]*)?$',
  default: '',
  description:
    'The path before that of the request, such as `/v1`: what the provider’s SDK takes as base URL, less host and port.',
})

export const address = object(
  {
    type: choice(['URL', 'Service', 'Pods'], {
      description:
        'URL: one address outside or inside the cluster; Service: the ready addresses behind a Service; Pods: the ready pods that a selector matches.',
    }),
    url: optional(url),
    service: optional(
      object(
        {
          name: string({
            maxLength: 63,
            minLength: 1,
            pattern: DNS_LABEL,
            description: 'The Service’s name, in the endpoint’s namespace.',
          }),
          port: port('The Service’s port.'),
          scheme,
          path,
        },
        { description: 'The ready addresses behind a Service, followed through its EndpointSlices.' },
      ),
    ),
    pods: optional(
      object(
        {
          selector: labelSelector('Which pods of the endpoint’s namespace.'),
          port: port('The port that the pods listen on.'),
          scheme,
          path,
        },
        { description: 'The ready pods that a selector matches.' },
      ),
    ),
  },
  {
    description: 'Where the endpoint is. Needed, but for provider OpenAI, whose own address is the default.',
    rules: [
      {
        rule: "(self.type == 'URL') == has(self.url)",
        message: 'url goes with type: URL, and only with it.',
        fieldPath: '.url',
      },
      {
        rule: "(self.type == 'Service') == has(self.service)",
        message: 'service goes with type: Service, and only with it.',
        fieldPath: '.service',
      },
      {
        rule: "(self.type == 'Pods') == has(self.pods)",
        message: 'pods goes with type: Pods, and only with it.',
        fieldPath: '.pods',
      },
    ],
  },
)
