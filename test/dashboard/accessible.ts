import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** Holds what a page shows to the rules of axe-core: WCAG 2.2 A and AA, and its best practices. */
export async function accessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  // What axe.run resolves with.
  const { violations, passes } = await page.evaluate<{ violations: Violation[]; passes: unknown[] }>(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)}, resultTypes: ['violations', 'passes'] })`,
  )
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((it) => `  ${it.html}\n  ${it.failureSummary}`).join('\n')}`,
  )
  assert.deepEqual(found, [], what)
  assert.ok(passes.length > 10, `${what}: only ${passes.length} rules had anything to look at`)
}
