import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { KeyPair } from './certificates.ts'

export interface GivenCertificate {
  readonly current: KeyPair
  /** Calls `listener` when the files have changed. */
  onRenewed(listener: (pair: KeyPair) => void): void
  stop(): void
}

/** How often the files are looked at: kubelet renews a mounted Secret by swapping a link, of which file watchers say little. */
const EVERY = 30_000

/** The certificate that a directory holds (`tls.crt`, `tls.key`, as a mounted Secret has them). Rejects where it cannot be read. */
export async function webhookCertificate(directory: string, log: Logger): Promise<GivenCertificate> {
  const read = async (): Promise<KeyPair> => ({
    certificate: await readFile(join(directory, 'tls.crt'), 'utf8'),
    key: await readFile(join(directory, 'tls.key'), 'utf8'),
  })
  let current = await read()
  const listeners: ((pair: KeyPair) => void)[] = []
  const look = async () => {
    const now = await read()
    if (now.certificate === current.certificate && now.key === current.key) return
    for (const listener of listeners) listener(now)
    current = now
  }
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      log.warn(
        { directory, error: String(error) },
        'the webhook certificate could not be renewed: the one before stays',
      ),
    )
  }, EVERY)
  return {
    get current() {
      return current
    },
    onRenewed: (listener) => void listeners.push(listener),
    stop: () => clearInterval(timer),
  }
}
