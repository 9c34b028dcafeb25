import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needs } from '../helpers/needs.ts'
import { startBrowser } from './browser.ts'
import { crowd } from './crowd.ts'
import { open } from './open.ts'
import { Stage } from './stage.ts'

describe('the dashboard of many', { skip: needs('chromium') }, () => {
  test('2,000 sidecars and 1,000 routes: all can be reached, few are drawn, and an edit shows', async (t) => {
    const stage = new Stage()
    t.after(() => stage.stop())
    const all = crowd(stage, { sidecars: 2000, routes: 1000 })
    all.report(2000)
    const url = await stage.serve()
    const { browser, stop } = await startBrowser()
    t.after(() => stop())
    const { page } = await open(t, browser, url)
    page.setDefaultTimeout(30_000)
    await page.getByText('1,000 routes').waitFor()
    const rows = () => page.evaluate<number>('document.querySelectorAll("tbody tr").length')
    assert.ok((await rows()) < 60, `${await rows()} rows are drawn`)
    await page.getByRole('link', { name: 'ai/route-0000' }).focus()
    await page.keyboard.press('End')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'ai/route-0999')
    assert.equal(await page.evaluate('document.activeElement.closest("tr").getAttribute("aria-rowindex")'), '1001')
    stage.world.route('ai/route-0999', 'model-999', { 'models-1': 37, 'models-2': 63 })
    stage.publish()
    await page.getByText('37 % models-1 · 63 % models-2').waitFor()
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'ai/route-0999')
    await page.getByRole('searchbox').fill('route-05')
    await page.getByText('100 of 1,000 routes').waitFor()
    await page.getByRole('link', { name: 'Sidecars', exact: true }).click()
    await page.getByText('2,000 sidecars').waitFor()
    await page.getByRole('button', { name: 'Pod' }).click()
    await page.getByRole('button', { name: 'Pod' }).click()
    await page.getByRole('link', { name: 'ai/app-1999' }).waitFor()
    assert.ok((await rows()) < 60, `${await rows()} rows are drawn`)
  })
})
