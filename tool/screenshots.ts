// Takes the pictures of the dashboard that the docs show, in docs/images/, in the machine's Chromium.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBrowser } from '../test/dashboard/browser.ts'
import { scenery } from '../test/dashboard/scenery.ts'
import { Stage } from '../test/dashboard/stage.ts'

const directory = join(import.meta.dirname, '../docs/images')

/** Each picture: its name, the address, the theme, and its height in px. */
const pictures = [
  ['dashboard-routes', '#/routes', 'light', 620],
  ['dashboard-rollout', '#/routes/ai/support-chat', 'dark', 800],
  ['dashboard-sidecars', '#/sidecars', 'light', 450],
  ['dashboard-endpoints', '#/endpoints', 'light', 330],
  ['dashboard-mirror', '#/routes/ai/search-answers', 'light', 860],
  ['dashboard-experiment', '#/routes/ai/nightly-batch', 'light', 640],
] as const
/** So long the traffic goes before, ms: sparklines are of two minutes. */
const BEFORE = 75_000

const stage = new Stage()
const second = scenery(stage)
const url = await stage.serve()
const timer = setInterval(second, 1000)
const { browser, stop } = await startBrowser()
try {
  mkdirSync(directory, { recursive: true })
  const pages = await Promise.all(
    pictures.map(async ([name, hash, colorScheme, height]) => {
      const page = await browser.newPage({ viewport: { width: 1280, height }, colorScheme, reducedMotion: 'reduce' })
      await page.goto(`${url}/${hash}`)
      return { name, page }
    }),
  )
  await sleep(BEFORE)
  for (const { name, page } of pages) {
    const path = join(directory, `${name}.png`)
    await page.screenshot({ path })
    console.log(`${path}  ${(statSync(path).size / 1024).toFixed(0)} KiB`)
  }
} finally {
  clearInterval(timer)
  await stop()
  await stage.stop()
}
