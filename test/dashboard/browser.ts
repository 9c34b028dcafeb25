import { rmSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { which } from '../../tool/packages.ts'
import { scratch } from '../helpers/scratch.ts'

/** Starts the machine's Chromium. It keeps what it writes in a folder that goes when it is closed. */
export async function startBrowser(): Promise<{ readonly browser: Browser; readonly stop: () => Promise<void> }> {
  const home = scratch('chromium')
  const browser = await chromium.launch({
    executablePath: which('chromium') ?? 'chromium',
    // Containers have neither namespaces for its sandbox nor much shared memory; it is shown our own pages only.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  })
  return {
    browser,
    async stop() {
      await browser.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
