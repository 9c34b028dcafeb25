// What the dashboard costs its user and its server, in a real Chromium: `node bench/dashboard.ts [--no-save]`. Writes dashboard.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { CDPSession } from 'playwright-core'
import { dashboardAssets } from '../operator/dashboard.ts'
import { startBrowser } from '../test/dashboard/browser.ts'
import { crowd } from '../test/dashboard/crowd.ts'
import { Stage } from '../test/dashboard/stage.ts'
import { circumstances } from './results.ts'
import { median } from './statistics.ts'

/** Reports a second: each sidecar every five seconds. */
const EVERY = 5
const SECONDS = 20
const EDITS = 15
const SIZES = [
  [20, 10],
  [200, 100],
  [2000, 1000],
] as const

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`
const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? 0

/** Seconds of work of the page's main thread so far: of scripts, and of all. */
async function worked(session: CDPSession): Promise<{ readonly script: number; readonly all: number }> {
  const { metrics } = await session.send('Performance.getMetrics')
  const value = (name: string) => metrics.find((it) => it.name === name)?.value ?? 0
  return { script: value('ScriptDuration'), all: value('TaskDuration') }
}

async function measure(sidecars: number, routes: number): Promise<string> {
  const stage = new Stage()
  const all = crowd(stage, { sidecars, routes })
  all.report(sidecars)
  const url = await stage.serve()
  const { browser, stop } = await startBrowser()
  try {
    const renders: number[] = []
    for (let i = 0; i < 5; i++) {
      const page = await browser.newPage()
      await page.addInitScript(
        'new MutationObserver(() => { window.rendered ??= document.querySelector("tbody tr a") && performance.now() }).observe(document, { subtree: true, childList: true })',
      )
      await page.goto(url)
      await page.locator('tbody tr a').first().waitFor()
      renders.push(await page.evaluate<number>('window.rendered'))
      await page.close()
    }
    const page = await browser.newPage({ viewport: { width: 1360, height: 800 } })
    await page.addInitScript(
      'window.long = []; new PerformanceObserver((list) => window.long.push(...list.getEntries().map((it) => it.duration))).observe({ type: "longtask" })',
    )
    await page.goto(url)
    await page.locator('tbody tr a').first().waitFor()
    await sleep(2000)
    const atFirst = await page.evaluate<number[]>('window.long.splice(0)')
    stage.looks.length = 0
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const before = await worked(session)
    const timer = setInterval(() => all.report(Math.max(1, sidecars / EVERY / 10)), 100)
    await sleep(SECONDS * 1000)
    const after = await worked(session)
    const long = await page.evaluate<number[]>('window.long.splice(0)')
    const looks = [...stage.looks]
    const shows: number[] = []
    for (let edit = 0; edit < EDITS; edit++) {
      const weight = 30 + edit
      await sleep(500 + ((edit * 137) % 500))
      const begun = performance.now()
      stage.world.route('ai/route-0000', 'model-0', { 'models-0': weight, 'models-1': 100 - weight })
      stage.publish()
      await page.getByText(`${weight} % models-0`, { exact: false }).first().waitFor()
      shows.push(performance.now() - begun)
    }
    // From the first row to the last, as fast as a wheel goes.
    await page.evaluate('window.long.splice(0)')
    const scrolled = await page.evaluate<number[]>(
      `new Promise((done) => { const list = document.querySelector('.list'); const frames = []; let last = performance.now(); const step = () => { const now = performance.now(); frames.push(now - last); last = now; list.scrollTop += 400; if (list.scrollTop + list.clientHeight < list.scrollHeight - 1 && frames.length < 300) requestAnimationFrame(step); else done(frames.slice(1)) }; requestAnimationFrame(step) })`,
    )
    const longScrolling = await page.evaluate<number[]>('window.long.splice(0)')
    clearInterval(timer)
    const nodes = await page.evaluate<number>('document.querySelectorAll("*").length')
    return [
      `${sidecars.toLocaleString('en')} × ${routes.toLocaleString('en')}`,
      ms(median(renders)),
      ms(((after.script - before.script) * 1000) / SECONDS),
      ms(((after.all - before.all) * 1000) / SECONDS),
      `${atFirst.length} / ${long.length} / ${longScrolling.length}${long.length > 0 ? ` (up to ${ms(Math.max(...long))})` : ''}`,
      `${ms(median(shows))}, ${ms(Math.max(...shows))}`,
      scrolled.length > 5 ? `${ms(quantile(scrolled, 0.5))}, ${ms(quantile(scrolled, 0.95))}` : 'no need',
      nodes.toLocaleString('en'),
      `${ms(quantile(looks, 0.5))}, ${ms(quantile(looks, 0.95))}`,
    ].join(' | ')
  } finally {
    await stop()
    await stage.stop()
  }
}

const rows: string[] = []
for (const [sidecars, routes] of SIZES) {
  rows.push(await measure(sidecars, routes))
  console.log(rows.at(-1))
}
const bytes = [...dashboardAssets().values()].map(({ text }) => gzipSync(text, { level: 9 }).length)
const size = (bytes.reduce((sum, it) => sum + it, 0) / 1024).toFixed(1)
const { date, commit, machine, load } = circumstances(new Map())
const text = `# What the dashboard costs

A server and a Chromium on one machine. Each sidecar reports every five seconds, as sidecars do, what it saw of twenty routes; all sidecars are to serve all routes, which is the worst
there is for who makes the overview. The list of routes is open; figures of work are over ${SECONDS} s of that. \`node bench/dashboard.ts\`, ${date}, commit ${commit}, ${machine}; load average ${load.toFixed(1)} over the minute before its end.

| sidecars × routes | first row shown, median of 5 | scripts, each second | the page's main thread, each second | tasks over 50 ms: at first / in ${SECONDS} s / scrolling | an edit shows: median, longest of ${EDITS} | a frame while scrolling: median, 95th percentile | elements | a look of the server: median, 95th percentile |
|---|---|---|---|---|---|---|---|---|
${rows.map((row) => `| ${row} |`).join('\n')}

Its ${bytes.length} files are ${size} KiB with gzip.
`
console.log(text)
if (!process.argv.includes('--no-save')) writeFileSync(join(import.meta.dirname, 'dashboard.md'), text)
