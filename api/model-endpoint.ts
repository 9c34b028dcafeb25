import { priceSchema } from '../core/price.ts'
import {
  array,
  boolean,
  choice,
  duration,
  fraction,
  free,
  integer,
  map,
  object,
  optional,
  string,
} from '../core/schema.ts'
import type { Rule, Schema, Static } from '../core/schema.ts'
import { providers, providerTypes } from '../core/providers/index.ts'
import { conditions } from './conditions.ts'
import { labelSelector, namespaces } from './selector.ts'
import type { Resource } from './resource.ts'

const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
const DNS_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
export const HEADER = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"

const port = (description: string) => integer({ minimum: 1, maximum: 65535, description })
const scheme = choice(['http', 'https'], { default: 'http', description: 'How the address is spoken to.' })
const path = string({
  maxLength: 1024,
  pattern: '^(/[^?#]*)?$',
  default: '',
  description:
    'The path before that of the request, such as `/v1`: what the provider’s SDK takes as base URL, less host and port.',
})
const secretKey = (description: string, key: string) =>
  object(
    {
      name: string({
        maxLength: 253,
        minLength: 1,
        pattern: DNS_NAME,
        description:
          'The Secret’s name, in the endpoint’s namespace. It carries the label `tradewind.dev/use: credentials`.',
      }),
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

/** Regular expressions over a whole URL, since the parts that `url()` gives have no bound and so cost too much for the API server. */
const HOST_END = String.raw`\.?(:[0-9]*)?(/.*)?$`
const BYTE = '([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])'
/** Both cases letter by letter: V8 gets `(?i:…)` wrong in alternatives such as `[0-9]+|0x[0-9a-f]*`, where RE2 does not. */
const anyCase = (text: string) => text.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
/** What a URL parser takes for an IPv4 address, in whatever notation: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const NUMERIC_HOST = String.raw`^[A-Za-z]+://(([^/:@]*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)|\[(0*:)+[fF]{4}:[^/@]*)${HOST_END}`
const DOTTED_HOST = String.raw`^[A-Za-z]+://${BYTE}(\.${BYTE}){3}(:[0-9]*)?(/.*)?$`
/** RFC 3927 and RFC 4291, and where clouds keep their instance metadata. */
const METADATA = [
  String.raw`100\.100\.100\.200`,
  anyCase(String.raw`metadata\.google\.internal`),
  anyCase(String.raw`metadata\.goog`),
  String.raw`\[[fF][dD]00:0?[eE][cC]2:[0:]*:0*254\]`,
].join('|')
const FORBIDDEN_HOST = String.raw`^[A-Za-z]+://(169\.254\..*|\[[fF][eE][89abAB][0-9a-fA-F]:.*|(${METADATA})${HOST_END})`

/** What a URL parser asks of host and port, which Go's, by which `isURL` judges, does not. */
const AUTHORITY = String.raw`^[A-Za-z][^:/]*://([^/?#]*@)?`
const NAME = String.raw`([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])`
const PORT = '0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])?'
const wellFormed: readonly Rule[] = [
  {
    rule: `!isURL(self) || !self.matches(r'${AUTHORITY}') || self.matches(r'${AUTHORITY}${NAME}?(:[^/?#]*)?([/?#].*)?$')`,
    message: 'The host must be a name, an IPv4 address, or an IPv6 address in brackets.',
  },
  {
    rule: `!isURL(self) || !self.matches(r'${AUTHORITY}${NAME}:[^/?#@]*([/?#].*)?$') || self.matches(r'${AUTHORITY}${NAME}:${PORT}([/?#].*)?$')`,
    message: 'The port must be between 1 and 65535.',
  },
]

const url = string({
  maxLength: 2048,
  minLength: 1,
  pattern: '^[!-~]*$',
  description: 'The base URL that the provider’s SDK takes (`…/v1` included for OpenAI’s).',
  rules: [
    {
      rule: "isURL(self) && !self.startsWith('/') && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",
      message: 'The URL must be absolute, with scheme http or https and a host.',
    },
    {
      rule: "!self.contains('@') && !self.contains('?') && !self.contains('#')",
      message: 'The URL must have no user information, query or fragment; credentials belong in spec.credentials.',
    },
    ...wellFormed,
    {
      rule: `!isURL(self) || !self.matches(r'${NUMERIC_HOST}') || self.matches(r'${DOTTED_HOST}')`,
      message: 'Write an IPv4 address as four decimal numbers.',
    },
    {
      rule: `!self.matches(r'${FORBIDDEN_HOST}')`,
      message: 'The URL must not point at a link-local or cloud metadata address.',
    },
  ],
})

const address = object(
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

const credentials = object(
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

const tls = object(
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
          name: string({
            maxLength: 253,
            minLength: 1,
            pattern: DNS_NAME,
            description:
              'The name of a `kubernetes.io/tls` Secret (`tls.crt`, `tls.key`) in the endpoint’s namespace, with the label `tradewind.dev/use: credentials`.',
          }),
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

const FORBIDDEN_HEADERS =
  "['host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'content-length', 'te', 'trailer', 'upgrade', 'expect', 'authorization', 'proxy-authorization']"
const headers = object(
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

/** Fields that Tradewind itself decides by are not for the manifest to set; all others are the provider's. */
const requestFields = (description: string) =>
  free({
    maxProperties: 32,
    description,
    known: {
      model: string({ maxLength: 256, description: 'Not to be given: the target names the model.' }),
      stream: boolean({ description: 'Not to be given: the caller decides.' }),
      messages: array(free({ maxProperties: 64, description: 'A message.' }), {
        maxItems: 64,
        description: 'Not to be given: the caller says them.',
      }),
    },
    rules: [
      {
        rule: '!has(self.model) && !has(self.stream) && !has(self.messages)',
        message: 'The fields model, stream and messages are the caller’s and cannot be given here.',
      },
    ],
  })

const model = object(
  {
    name: string({
      maxLength: 256,
      minLength: 1,
      description: 'The provider’s own name for the model; `*` passes on what the caller asked for.',
    }),
    rank: integer({
      minimum: 0,
      maximum: 100,
      default: 0,
      description:
        'Its place on the ladder from cheap (0) to strong. When a target fails, the others of its priority are tried from the nearest rank upwards, so that an answer is not weaker than it need be.',
    }),
    capabilities: optional(
      object(
        {
          contextWindow: optional(
            integer({
              minimum: 1,
              maximum: 1_000_000_000,
              description:
                'Tokens of prompt and answer together. A request that is too long for one target goes on to those with a larger window only.',
            }),
          ),
          maxOutputTokens: optional(
            integer({
              minimum: 1,
              maximum: 1_000_000_000,
              description:
                'The longest answer, tokens: what is asked for where the provider wants to be told and the caller did not say.',
            }),
          ),
          input: optional(
            array(
              choice(['Text', 'Image', 'Audio', 'File'], { description: 'Something that a request may consist of.' }),
              {
                minItems: 1,
                maxItems: 4,
                set: true,
                description:
                  'What the model takes. Requests that have something else are kept from it. Left out: it takes all that its API has a place for.',
              },
            ),
          ),
          features: optional(
            array(choice(['Tools', 'JSONSchema', 'Prefill'], { description: 'Something that the model can do.' }), {
              maxItems: 8,
              set: true,
              description:
                'What the model can do; left out: what is known of the provider and the model. Requests with tools or a JSON schema are kept from a model whose list is without Tools or JSONSchema. Prefill: goes on from a last message that is the beginning of its answer, and so with an answer of another target that stopped. An empty list: it can do none of them.',
            }),
          ),
        },
        { description: 'What the model is able to do.' },
      ),
    ),
    quality: optional(
      object(
        {
          default: fraction({ description: 'Over all tasks, 0 to 1: the share of its answers that are good enough.' }),
          tasks: optional(
            map(fraction({ description: 'Of this task.' }), {
              maxProperties: 64,
              description: 'Of tasks that it is better or worse at, by the task’s name.',
            }),
          ),
        },
        {
          description:
            'How good its answers are expected to be: what LeastCost compares with its floor, and what a learner starts from. Measure it with `tradewind simulate`, or take it from a benchmark of your own tasks.',
        },
      ),
    ),
    price: optional(priceSchema),
    parameters: optional(
      object(
        {
          defaults: optional(requestFields('Request fields that are added where the caller gave none.')),
          force: optional(requestFields('Request fields that are set whatever the caller gave.')),
        },
        { description: 'Request fields for this model.' },
      ),
    ),
  },
  { description: 'A model that the endpoint serves. Breaker and health are kept for each.' },
)

const timeouts = object(
  {
    connect: duration({ default: '5s', description: 'To open a connection, TLS included.' }),
    firstToken: duration({
      default: '60s',
      description: 'From sending a streamed request to the first event of the answer.',
    }),
    idle: duration({ default: '30s', description: 'Between two events of a streamed answer.' }),
    attempt: duration({ default: '600s', description: 'One whole attempt, its answer included.' }),
  },
  {
    default: {},
    description:
      'Deadlines, each on its own clock. First token and idle bound streamed answers; others are bounded by attempt and by the route’s request deadline.',
    rules: [
      {
        rule: 'duration(self.connect) > duration("0s") && duration(self.firstToken) > duration("0s") && duration(self.idle) > duration("0s") && duration(self.attempt) > duration("0s")',
        message: 'Timeouts must be longer than 0s.',
      },
      {
        rule: 'duration(self.attempt) <= duration("24h")',
        message: 'attempt must be at most 24h.',
        fieldPath: '.attempt',
      },
      {
        rule: 'duration(self.connect) <= duration(self.attempt)',
        message: 'connect must not be longer than attempt.',
        fieldPath: '.connect',
      },
      {
        rule: 'duration(self.firstToken) <= duration(self.attempt)',
        message: 'firstToken must not be longer than attempt.',
        fieldPath: '.firstToken',
      },
      {
        rule: 'duration(self.idle) <= duration(self.attempt)',
        message: 'idle must not be longer than attempt.',
        fieldPath: '.idle',
      },
    ],
  },
)

const health = object(
  {
    active: object(
      {
        path: string({
          maxLength: 1024,
          minLength: 1,
          pattern: '^/[^#]*$',
          description: 'The path of the check, from the root of the address. A 2xx answer is healthy.',
        }),
        interval: duration({ default: '30s', description: 'Between two checks of one address; jittered.' }),
        timeout: duration({ default: '2s', description: 'Of one check.' }),
        unhealthyAfter: integer({
          minimum: 1,
          maximum: 100,
          default: 3,
          description: 'Failed checks in a row that make an address unhealthy.',
        }),
        healthyAfter: integer({
          minimum: 1,
          maximum: 100,
          default: 1,
          description: 'Passed checks in a row that make it healthy again.',
        }),
      },
      {
        description: 'Asks each address at an interval. Off unless given.',
        rules: [
          {
            rule: 'duration(self.interval) >= duration("100ms") && duration(self.interval) <= duration("24h")',
            message: 'interval must be between 100ms and 24h.',
            fieldPath: '.interval',
          },
          {
            rule: 'duration(self.timeout) > duration("0s") && duration(self.timeout) <= duration(self.interval)',
            message: 'timeout must be longer than 0s and not longer than interval.',
            fieldPath: '.timeout',
          },
        ],
      },
    ),
  },
  { description: 'Health checks besides the passive ones, which are always on.' },
)

const circuitBreaker = object(
  {
    consecutive: integer({ minimum: 1, maximum: 1000, default: 5, description: 'Failures in a row that open it.' }),
    ratio: object(
      {
        percent: integer({
          minimum: 1,
          maximum: 100,
          default: 50,
          description: 'The share of failures that opens it.',
        }),
        minimum: integer({
          minimum: 1,
          maximum: 100000,
          default: 20,
          description: 'Requests in the window below which the share says nothing.',
        }),
        within: duration({ default: '30s', description: 'The window.' }),
      },
      {
        default: {},
        description: 'Opens at a share of failures within a window.',
        rules: [
          {
            rule: 'duration(self.within) >= duration("1s") && duration(self.within) <= duration("1h")',
            message: 'within must be between 1s and 1h.',
            fieldPath: '.within',
          },
        ],
      },
    ),
    openFor: duration({
      default: '30s',
      description:
        'How long it stays open before requests are let through as probes; they are at once when all addresses of the endpoint are new.',
    }),
    probes: integer({
      minimum: 1,
      maximum: 100,
      default: 1,
      description: 'Requests at a time, and successes in a row, while it is half-open.',
    }),
    rampUp: array(integer({ minimum: 1, maximum: 100, description: 'Percent of its share.' }), {
      default: [5, 25, 100],
      minItems: 1,
      maxItems: 10,
      description:
        'The percent of its share that the model gets after it closes, step by step, each a tenth of openFor long.',
      rules: [
        { rule: 'size(self) == 0 || self[size(self) - 1] == 100', message: 'The last step must be 100.' },
        {
          rule: 'self.all(a, self.exists_one(b, b == a)) && self == self.sort()',
          message: 'The steps must rise.',
        },
      ],
    }),
  },
  {
    default: {},
    description: 'Per model: stops asking one that keeps failing.',
    rules: [
      {
        rule: 'duration(self.openFor) >= duration("10ms") && duration(self.openFor) <= duration("24h")',
        message: 'openFor must be between 10ms and 24h.',
        fieldPath: '.openFor',
      },
    ],
  },
)

const retryBudget = object(
  {
    percent: integer({
      minimum: 0,
      maximum: 100,
      default: 20,
      description: 'Retries as a share of the requests of the last ten seconds.',
    }),
    minPerSecond: integer({
      minimum: 0,
      maximum: 1000,
      default: 3,
      description: 'Retries a second that are always allowed.',
    }),
  },
  { default: {}, description: 'Bounds the retries of one sidecar on this endpoint, over all routes that use it.' },
)

/** The settings of providers that have some, each under its own name: a union of `type` and one member. */
const members: { readonly [name: string]: Schema } = Object.fromEntries(
  providers.flatMap(({ settings }) => (settings ? [[settings.name, optional(settings.schema)] as const] : [])),
)
const memberRules: readonly Rule[] = providers.flatMap(({ type, settings }) => {
  if (!settings) return []
  const { name, required } = settings
  return [
    {
      rule: required ? `(self.type == '${type}') == has(self.${name})` : `self.type == '${type}' || !has(self.${name})`,
      message: required
        ? `${name} is needed for provider ${type}, and only there.`
        : `${name} is for provider ${type} only.`,
      fieldPath: `.${name}`,
    },
  ]
})
/** Providers with an address of their own, always or on a condition. */
const addressed = providers.filter((it) => it.url !== undefined && !it.urlWhen).map(({ type }) => `'${type}'`)
const addressedWhen = providers.flatMap(({ type, urlWhen }) =>
  urlWhen ? [`(self.provider.type == '${type}' && ${urlWhen})`] : [],
)

const spec = object(
  {
    provider: object(
      {
        type: choice(providerTypes, {
          description: 'The dialect that the endpoint speaks. HTTP is opaque pass-through.',
        }),
        ...members,
      },
      { description: 'Who answers.', rules: memberRules },
    ),
    address: optional(address),
    credentials: optional(credentials),
    tls: optional(tls),
    headers: optional(headers),
    proxy: optional(
      object(
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
      ),
    ),
    models: optional(
      array(model, {
        minItems: 1,
        maxItems: 64,
        key: 'name',
        description: 'What the endpoint serves. Needed, but for provider HTTP, which has none.',
      }),
    ),
    limits: optional(
      object(
        {
          maxInFlight: integer({
            minimum: 1,
            maximum: 100000,
            description:
              'Requests in flight for each sidecar; when full, the next target is asked, else the answer is 429.',
          }),
        },
        { description: 'Bounds.' },
      ),
    ),
    timeouts,
    health: optional(health),
    circuitBreaker,
    retryBudget,
    allowedRoutes: namespaces('Who may refer to the endpoint from other namespaces.'),
    allowCredentialUse: namespaces(
      'Whose pods may be given the endpoint’s credentials; apart from allowedRoutes, and never wider by default.',
    ),
  },
  {
    description: 'One place (address, account), serving one or more models.',
    rules: [
      {
        rule: [`self.provider.type in [${addressed.join(', ')}]`, ...addressedWhen, 'has(self.address)'].join(' || '),
        message: 'address is needed for this provider.',
        fieldPath: '.address',
      },
      {
        rule: "self.provider.type != 'OpenInference' || !has(self.models) || self.models.all(m, !has(m.parameters))",
        message: 'parameters are fields of requests that provider OpenInference does not have: leave them out.',
        fieldPath: '.models',
      },
      {
        rule: "(self.provider.type == 'HTTP') == !has(self.models)",
        message: 'models are needed, but for provider HTTP, which has none.',
        fieldPath: '.models',
      },
      {
        rule: "self.provider.type == 'Bedrock' || !has(self.credentials) || self.credentials.type != 'WebIdentity'",
        message: 'A web identity is for provider Bedrock.',
        fieldPath: '.credentials',
      },
    ],
  },
)

const status = object(
  {
    conditions: optional(conditions),
    sidecars: optional(
      object(
        {
          using: integer({
            minimum: 0,
            maximum: 1e9,
            description: 'Connected sidecars whose routes use the endpoint.',
          }),
          healthy: integer({ minimum: 0, maximum: 1e9, description: 'Those that find every model of it healthy.' }),
          open: integer({ minimum: 0, maximum: 1e9, description: 'Those with an open breaker on it.' }),
        },
        { description: 'How the sidecars find the endpoint.' },
      ),
    ),
    models: optional(
      array(
        object({
          name: string({ maxLength: 256, description: 'The model.' }),
          healthy: integer({ minimum: 0, maximum: 1e9, description: 'Sidecars that find it healthy.' }),
          open: integer({ minimum: 0, maximum: 1e9, description: 'Sidecars with an open breaker on it.' }),
          scarce: optional(
            integer({
              minimum: 0,
              maximum: 1e9,
              description: 'Sidecars that spare it because its rate limit is nearly used up; left out where none do.',
            }),
          ),
        }),
        { maxItems: 64, key: 'name', description: 'How the sidecars find each model.' },
      ),
    ),
  },
  { description: 'What the operator and the sidecars find.' },
)

export const modelEndpoint = {
  kind: 'ModelEndpoint',
  plural: 'modelendpoints',
  singular: 'modelendpoint',
  shortNames: ['mep'],
  description: 'A place that serves models: a provider’s account, a Service or a set of pods.',
  spec,
  status,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider.type', description: 'The dialect.' },
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Accepted')].status",
      description: 'Whether the manifest is in force.',
    },
    {
      name: 'Healthy',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Healthy')].status",
      description: 'Whether the sidecars find it healthy.',
    },
    { name: 'Using', type: 'integer', jsonPath: '.status.sidecars.using', description: 'Sidecars that use it.' },
    { name: 'Open', type: 'integer', jsonPath: '.status.sidecars.open', description: 'Sidecars with an open breaker.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it exists.' },
  ],
} as const

export type ModelEndpointSpec = Static<typeof spec>
export type ModelEndpointStatus = Static<typeof status>
export type ModelEndpoint = Resource<'ModelEndpoint', ModelEndpointSpec, ModelEndpointStatus>
