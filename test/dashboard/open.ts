import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** A page of the dashboard, and what it asked for. */
export interface Opened {
  readonly page: Page
  /** URLs of all requests. */
  readonly asked: readonly string[]
  /** What it complained about: errors that were thrown, and what the content policy stopped. */
  readonly wrong: readonly string[]
}

/** Opens a page in a context of its own, until the test ends. A page that threw, or broke its own content policy, fails the test. */
export async function open(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const asked: string[] = []
  const wrong: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|TrustedScript/.test(message.text())) wrong.push(message.text())
  })
  t.after(async () => {
    await context.close()
    assert.deepEqual(wrong, [])
  })
  await page.goto(url)
  return { page, asked, wrong }
}
