import { choice, object, optional } from '../../core/schema.ts'
import { secretKey } from './secret-key.ts'

export const credentials = object(
  {
    type: choice(['Secret', 'Passthrough', 'WebIdentity'], {
      description:
        'Secret: the key is read from a Secret and replaces what the caller sent; Passthrough: the caller’s own key goes on, in the header that the provider wants where the caller uses that, else in Authorization (but an API key of Anthropic’s or Google’s in theirs), and in one request to one host only: no other endpoint of the route gets it when this one fails; WebIdentity: for provider Bedrock, the role of the pod’s own service account (`AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`, which AWS’s webhook sets).',
    }),
    secret: optional(
      secretKey(
        'The Secret that holds the API key; for provider VertexAI the JSON key of a service account, for Bedrock `aws_access_key_id` and the others as the shared credentials file has them, or an API key.',
        'api-key',
      ),
    ),
  },
  {
    description: 'How the endpoint knows us. Left out: no Authorization is sent.',
    rules: [
      {
        rule: "(self.type == 'Secret') == has(self.secret)",
        message: 'secret goes with type: Secret, and only with it.',
        fieldPath: '.secret',
      },
    ],
  },
)
