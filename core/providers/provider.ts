/** What a provider's file says of it. One file a provider, one line in the registry. */
export interface Provider {
  /** The name in `spec.provider.type`. */
  readonly type: string
  /** `openai`: the surfaces of OpenAI's API, models named in the body. `opaque`: bytes, chosen by path. */
  readonly dialect: 'openai' | 'opaque'
  /** The base URL where the endpoint gives no address. */
  readonly url?: string
  /** The header that carries an API key. */
  readonly authorize: (key: string) => readonly [name: string, value: string]
}

/** RFC 6750, section 2.1. */
export const bearer = (key: string): readonly [string, string] => ['authorization', `Bearer ${key}`]
