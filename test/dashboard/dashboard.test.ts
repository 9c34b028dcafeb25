import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { rolloutView } from '../helpers/scripted-rollouts.ts'
import { accessible } from './accessible.ts'
import { startBrowser } from './browser.ts'
import { open } from './open.ts'
import { scenery } from './scenery.ts'
import { Stage } from './stage.ts'

const SCREENS = {
  routes: ['#/routes', 'ai/support-chat'],
  'a route with a rollout': ['#/routes/ai/support-chat', 'Error rate'],
  'a route that is refused': ['#/routes/ai/code-review', 'retry.attempts must be at most 5.'],
  'a route that is not there': ['#/routes/ai/nothing', 'It cannot be shown.'],
  'a route with faults': ['#/routes/ai/translations', 'Failures are injected on purpose.'],
  'a route with a mirror': ['#/routes/ai/search-answers', 'Come to the same'],
  'a route with an experiment': ['#/routes/ai/nightly-batch', 'Experiment shorter-prompt'],
  rollouts: ['#/rollouts', 'E-value 93 of 80'],
  endpoints: ['#/endpoints', 'ai/small-models'],
  'an endpoint': ['#/endpoints/ai/small-models', 'Open breakers'],
  sidecars: ['#/sidecars', 'ai/search-q9wz'],
  'a sidecar': ['#/sidecars/ai/batch-0', 'What is the matter'],
} as const

describe('the dashboard', { skip: needs('chromium') }, () => {
  let browser: Browser
  let stopBrowser: () => Promise<void>
  let stage: Stage
  let url: string
  let second: () => void

  before(async () => {
    ;({ browser, stop: stopBrowser } = await startBrowser())
  })
  after(() => stopBrowser())
  beforeEach(async (t) => {
    stage = new Stage()
    const mine = stage
    second = scenery(stage)
    second()
    url = await stage.serve()
    // Node gives hooks the test's own context.
    if ('after' in t) t.after(() => mine.stop())
  })

  test('all that it asks for is of its own origin, and its policy forbids all else', async (t) => {
    const { page, asked } = await open(t, browser, url)
    for (const [hash, text] of Object.values(SCREENS)) {
      await page.goto(`${url}/${hash}`)
      await page.getByText(text).first().waitFor()
    }
    assert.ok(asked.length > 10)
    assert.deepEqual(
      asked.filter((it) => new URL(it).origin !== url),
      [],
    )
    const { headers } = await fetch(url)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  })

  test('an edit shows within a second', async (t) => {
    const { page } = await open(t, browser, url)
    await page.getByText('90 % openai · 10 % anthropic').waitFor()
    const begun = performance.now()
    stage.world.route('ai/support-chat', 'support-chat', { openai: 75, anthropic: 25 })
    stage.publish()
    await page.getByText('75 % openai · 25 % anthropic').waitFor()
    const took = performance.now() - begun
    t.diagnostic(`an edit showed after ${took.toFixed(0)} ms`)
    assert.ok(took < 10_000, `${took} ms`)
  })

  test('who is behind, who refuses and why, and which breaker is open can be seen', async (t) => {
    const { page } = await open(t, browser, `${url}/#/routes/ai/code-review`)
    await page.getByText('3 of 6 sidecars serve generation').waitFor()
    for (const text of [
      'ai/search-q9wz has an earlier version',
      'ai/batch-0 refused: /rules/0/retry retry.attempts must be at most 5.',
      'ai/fresh-1 not connected',
    ])
      await page.getByRole('listitem').filter({ hasText: text }).waitFor()
    const slow = stage.sidecars.get('ai/search-q9wz')
    if (slow) slow.held = false
    slow?.release()
    await page.getByText('4 of 6 sidecars serve generation').waitFor()
    await page.goto(`${url}/#/endpoints/ai/small-models`)
    await page.getByText('4 of 5').waitFor()
  })

  test('shares, times, errors and costs are those that sidecars report', async (t) => {
    const target = { route: 'ai/nightly-batch', rule: '0', requests: 0, errors: 0 }
    stage.report('ai/support-7d9f', [
      {
        ...target,
        endpoint: 'ai/openai',
        model: 'openai-large',
        requests: 30,
        errors: 3,
        cost: 5e11,
        latency: Array.from({ length: 30 }, () => 200),
      },
      {
        ...target,
        endpoint: 'ai/anthropic',
        model: 'anthropic-large',
        requests: 10,
        cost: 0,
        latency: Array.from({ length: 10 }, () => 400),
      },
    ])
    const { page } = await open(t, browser, `${url}/#/routes/ai/nightly-batch`)
    const row = page.getByRole('row').filter({ hasText: 'openai-large' })
    // Half a dollar in a minute is thirty in an hour; of 40 attempts 30 were here; of 30 three failed. Times are to 1 %.
    for (const text of ['50 % → 75 %', '10 %', '$30.00']) await row.getByText(text, { exact: true }).waitFor()
    assert.match((await row.textContent()) ?? '', /(199|20[0-2]) ms/)
    await page.locator('.tile', { hasText: 'Errors' }).getByText('7.5 %').waitFor()
  })

  test('the evidence of a rollout shows as it comes', async (t) => {
    const { page } = await open(t, browser, `${url}/#/routes/ai/support-chat`)
    await page.getByRole('img', { name: 'E-value 3.16; 80 rolls back' }).waitFor()
    await page.getByRole('img', { name: 'Step 3 of 6, 10 % of requests' }).waitFor()
    const before = stage.rollouts.views()
    stage.rollouts.set(
      ...before.map((it) =>
        it.route === 'ai/support-chat'
          ? {
              ...it,
              step: 3,
              weight: 25,
              waiting: 1,
              waitsFor: ['ai/search-q9wz'],
              guardrails: it.guardrails.map((one) => ({ ...one, evidence: '41.5' })),
            }
          : it,
      ),
    )
    await page.getByRole('img', { name: 'E-value 41.5; 80 rolls back' }).first().waitFor()
    await page.getByRole('img', { name: 'Step 4 of 6, 25 % of requests' }).waitFor()
    await page.getByText('Waits for 1 sidecar to acknowledge: ai/search-q9wz.').waitFor()
  })

  test('a click promotes once it is confirmed, and what is refused is said', async (t) => {
    const { page } = await open(t, browser, `${url}/#/rollouts`)
    const card = page.getByRole('region', { name: 'ai/support-chat rule 0' })
    await card.getByRole('button', { name: 'Promote' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('All requests go to the canary at once').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    assert.deepEqual(stage.rollouts.done, [])
    await card.getByRole('button', { name: 'Promote' }).click()
    await dialog.getByRole('button', { name: 'Promote' }).click()
    await card.getByText('Promoted', { exact: true }).waitFor()
    assert.deepEqual(stage.rollouts.done, ['promote ai/support-chat 0 by local'])
    await page.getByRole('status').getByText('Promote: done.').waitFor()
    // What another has done in the meantime is said by the operator.
    stage.rollouts.set(rolloutView('ai/support-chat', '0', { phase: 'Progressing' }))
    await card.getByRole('button', { name: 'Pause' }).click()
    await dialog.waitFor()
    stage.rollouts.set(rolloutView('ai/support-chat', '0', { phase: 'RolledBack' }))
    await dialog.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Pause: A rollout that is RolledBack cannot be told to pause: retry it.').waitFor()
  })

  test('keys alone suffice', async (t) => {
    const { page } = await open(t, browser, url)
    const { keyboard } = page
    const focused = () =>
      page.evaluate<string>(
        'document.activeElement.textContent.trim() || document.activeElement.getAttribute("aria-label")',
      )
    await page.getByText('ai/support-chat').waitFor()
    await keyboard.press('Tab')
    assert.equal(await focused(), 'Skip to content')
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')
    assert.equal(outline, 'solid')
    await keyboard.press('/')
    assert.equal(await focused(), 'Search routes and models')
    await keyboard.type('su')
    await page.getByText('2 of 8 routes').waitFor()
    await keyboard.press('ArrowDown')
    assert.equal(await focused(), 'ai/summaries')
    await keyboard.press('ArrowDown')
    assert.equal(await focused(), 'ai/support-chat')
    // An update under way takes the focus from nobody.
    second()
    stage.world.route('ai/support-chat', 'support-chat', { openai: 60, anthropic: 40 })
    stage.publish()
    await page.getByText('60 % openai · 40 % anthropic').waitFor()
    assert.equal(await focused(), 'ai/support-chat')
    await keyboard.press('Enter')
    await page.getByRole('heading', { name: 'support-chat', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    for (let presses = 0; (await focused()) !== 'Pause'; presses++) {
      assert.ok(presses < 30, 'Pause cannot be reached')
      await keyboard.press('Tab')
    }
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    assert.equal(await focused(), 'Cancel')
    await keyboard.press('Tab')
    await keyboard.press('Enter')
    await eventually(() => assert.deepEqual(stage.rollouts.done, ['pause ai/support-chat 0 by local']))
    await keyboard.press('u')
    await page.getByRole('table', { name: 'Routes' }).waitFor()
    await keyboard.press('g')
    await keyboard.press('s')
    await page.getByRole('table', { name: 'Sidecars' }).waitFor()
    await keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  for (const colorScheme of ['light', 'dark'] as const)
    test(`every screen is accessible, ${colorScheme}`, async (t) => {
      const { page } = await open(t, browser, url, { colorScheme })
      for (const [what, [hash, text]] of Object.entries(SCREENS)) {
        await page.goto(`${url}/${hash}`)
        await page.getByText(text).first().waitFor()
        await accessible(page, what)
      }
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keys' }).waitFor()
      await accessible(page, 'help')
      await page.keyboard.press('Escape')
      await page.goto(`${url}/#/rollouts`)
      await page.getByRole('button', { name: 'Abort' }).click()
      await accessible(page, 'the question before it aborts')
    })

  test('nothing moves for those who do not want it', async (t) => {
    const { page } = await open(t, browser, `${url}/#/rollouts`, { reducedMotion: 'reduce' })
    await page.locator('.step.now').waitFor()
    const moving = () => page.evaluate<string>('getComputedStyle(document.querySelector(".step.now")).animationName')
    assert.equal(await moving(), 'none')
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    assert.equal(await moving(), 'breathe')
  })

  test('where the connection is lost, it says so, keeps what it knows, and comes back by itself', async (t) => {
    const { page } = await open(t, browser, url)
    await page.getByRole('status').getByText('Live').waitFor()
    stage.refuse = true
    stage.watch.end('It goes.')
    await page.getByText('Disconnected. What is shown is what was known last').waitFor()
    await page.getByText(/Last update \d+ s ago/).waitFor()
    await page.getByText('ai/support-chat').waitFor()
    stage.world.route('ai/support-chat', 'support-chat', { openai: 1 })
    stage.publish()
    stage.refuse = false
    await page.getByRole('status').getByText('Live').waitFor()
    await page.getByRole('row').filter({ hasText: 'support-chat' }).getByText('100 % openai').first().waitFor()
  })

  test('where there is nothing yet, it says what would be there', async (t) => {
    const empty = new Stage()
    empty.publish()
    const nowhere = await empty.serve()
    t.after(() => empty.stop())
    const { page } = await open(t, browser, nowhere)
    await page.getByText('There is no route yet.').waitFor()
    await accessible(page, 'nothing')
    for (const [hash, text] of Object.entries({
      rollouts: 'No rule has a rollout.',
      endpoints: 'There is no endpoint yet.',
      sidecars: 'There is no sidecar yet.',
    })) {
      await page.goto(`${nowhere}/#/${hash}`)
      await page.getByText(text).waitFor()
    }
  })
})
