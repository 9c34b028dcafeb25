/** A gateway that the wall is run against, with two OpenAI servers behind it: the first is asked first, the second where that fails. */
export interface Gateway {
  readonly name: string
  /** Installs it where it is not there; resolves with its version. */
  install(): Promise<string>
  /** The command that starts it, for servers of OpenAI's API at these base URLs. `directory` is its own for the run. */
  command(setting: { readonly directory: string; readonly port: number; readonly urls: readonly [string, string] }): {
    readonly command: readonly string[]
    readonly environment: Readonly<Record<string, string>>
    /** With each request. */
    readonly headers: Readonly<Record<string, string>>
  }
}

/** How long a target may be silent, ms: each gateway is told in its own words, for whatever clocks it has. */
export const SILENCE = 1000
