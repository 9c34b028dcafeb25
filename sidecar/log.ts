import boom from 'sonic-boom'
import type { SonicBoom } from 'sonic-boom'

/** From the most words to the fewest. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type Level = (typeof LEVELS)[number]

/** Lines wait for others at most so long, ms. */
const FLUSH_AFTER = 100
/** Characters that are written together at the latest. */
const BATCH = 32 * 1024
/** Bytes of lines that are held while whoever reads them does not; further ones are dropped and counted. */
const MOST_HELD = 8 * 1024 * 1024

/**
 * JSON lines to standard output, written in batches off the request path. Fields are the caller's to choose: nothing that holds a
 * credential is ever given to it.
 */
export class Log {
  level: Level
  /** Lines that were dropped because nobody read them. */
  dropped = 0
  readonly fd: number
  private readonly out: SonicBoom
  private waiting = ''
  private timer: NodeJS.Timeout | undefined

  /** `fd`: 1 is standard output. */
  constructor(level: Level, fd = 1) {
    this.level = level
    this.fd = fd
    this.out = new boom.SonicBoom({ fd, sync: false, maxLength: MOST_HELD })
    this.out.on('drop', (lines: string) => (this.dropped += lines.split('\n').length - 1))
    // A reader that has gone away is no reason to end: requests go on being answered.
    this.out.on('error', () => {})
  }

  /** Whether lines of that level are written. */
  takes(level: Level): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.level)
  }

  debug(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.say('debug', message, fields)
  }

  info(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.say('info', message, fields)
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.say('warn', message, fields)
  }

  error(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.say('error', message, fields)
  }

  /** Writes a line that is JSON already. Whether its level is taken was the caller's to ask. */
  line(json: string): void {
    this.waiting += `${json}\n`
    if (this.waiting.length >= BATCH) this.flush()
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.flush()
    }, FLUSH_AFTER)
  }

  /** Writes what waits, before it returns: for the end of the program. */
  end(): void {
    clearTimeout(this.timer)
    try {
      this.flush()
      this.out.flushSync()
    } catch {
      // Nobody reads any more.
    }
  }

  private flush(): void {
    this.out.write(this.waiting)
    this.waiting = ''
  }

  private say(level: Level, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.takes(level)) this.line(JSON.stringify({ time: Date.now(), level, msg: message, ...fields }))
  }
}
