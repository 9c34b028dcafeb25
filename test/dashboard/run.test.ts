import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request } from 'undici'
import { needs } from '../helpers/needs.ts'
import { run } from '../local/running.ts'
import { startBrowser } from './browser.ts'
import { open } from './open.ts'

describe('the dashboard of a local run', { skip: needs('chromium') }, () => {
  test('it is there by default, needs no token, and shows the requests that go through', async (t) => {
    const { url, admin, printed } = await run(t, 'examples/quickstart', ['--mock'])
    assert.match(printed(), new RegExp(`in a browser: ${admin}/`))
    const { browser, stop } = await startBrowser()
    t.after(() => stop())
    const { page } = await open(t, browser, admin)
    const row = page
      .getByRole('row')
      .filter({ has: page.getByRole('link') })
      .first()
    await row.getByText('1/1').waitFor()
    const name = (await row.getByRole('link').textContent()) ?? ''
    const model = await row.getByRole('cell').first().textContent()
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] })
    for (let i = 0; i < 20; i++) {
      const answer = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      assert.equal(answer.statusCode, 200)
      await answer.body.dump()
    }
    await page.getByRole('link', { name }).click()
    await page
      .locator('.tile', { hasText: 'p95' })
      .getByText(/\d m?s/)
      .waitFor()
    await page.locator('.tile', { hasText: 'Errors' }).getByText('0 %').waitFor()
    await page
      .locator('.tile', { hasText: 'Requests/s' })
      .getByText(/^[1-9]|^0\.\d/)
      .waitFor()
    // Another site cannot have its pages show it, nor ask in its user's name.
    const elsewhere = { origin: 'https://elsewhere.example', 'content-type': 'application/json' }
    const asked = await request(`${admin}/v1/rollouts/ai/chat/all`, {
      method: 'POST',
      headers: elsewhere,
      body: '{"action":"promote"}',
    })
    assert.equal(asked.statusCode, 403)
    await asked.body.dump()
  })
})
