/** Tokens of one call, by OpenAI's convention whoever reported them: `input` and `output` include all that is listed below them. */
export interface Usage {
  readonly input: number
  readonly output: number
  /** Of the input, those read from the provider's cache. */
  readonly cached: number
  /** Of the input, those written to the cache for five minutes, and for an hour. */
  readonly cacheWrite: number
  readonly cacheWrite1h: number
  /** Of the output, those of hidden reasoning. */
  readonly reasoning: number
  /** Of input and output, those of audio; of the input, those of images. */
  readonly audioInput: number
  readonly audioOutput: number
  readonly imageInput: number
  /** Of `cached` and of `audioInput`, those of audio that came from the cache; of the output, those of images. */
  readonly cachedAudio?: number
  readonly imageOutput?: number
  /** Of the input, those of video. */
  readonly videoInput?: number
  /** Billed in something else than tokens: search units of a rerank. */
  readonly units?: number
  /** Seconds of sound that came in, where those are billed. */
  readonly audioSeconds?: number
  /** Tokens that are billed, where the provider says that not all are: Cohere's own templates are free. */
  readonly billed?: { readonly input: number; readonly output: number }
  /** The provider did not come to say: a count of what was seen. */
  readonly estimated?: boolean
}

export const NO_USAGE: Usage = {
  input: 0,
  output: 0,
  cached: 0,
  cacheWrite: 0,
  cacheWrite1h: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  imageInput: 0,
}
