import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { dashboardAssets } from '../../operator/dashboard.ts'
import { bundle } from '../../tool/bundle.ts'
import { scratch } from '../helpers/scratch.ts'

/** KiB with gzip. */
const LARGEST = 40

const size = (assets: ReadonlyMap<string, { readonly text: string }>) =>
  [...assets.values()].reduce((sum, { text }) => sum + gzipSync(text, { level: 9 }).length, 0) / 1024

test('the dashboard is in the bundle, one script, as small as it says', async (t) => {
  const folder = scratch('dashboard')
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'dashboard.mjs')
  await bundle('operator/dashboard.ts', file)
  const { dashboardAssets: bundled } = (await import(pathToFileURL(file).href)) as {
    dashboardAssets: typeof dashboardAssets
  } // of that module
  const assets = bundled()
  assert.deepEqual([...assets.keys()].sort(), ['/', '/assets/app.js', '/assets/icon.svg', '/assets/style.css'])
  const script = assets.get('/assets/app.js')?.text ?? ''
  assert.doesNotMatch(script, /(^|[;\n])import\b|\beval\(|new Function/)
  // What is beyond ASCII comes through as it is.
  assert.match(script, /–/)
  t.diagnostic(`${size(assets).toFixed(1)} KiB bundled, ${size(dashboardAssets()).toFixed(1)} KiB as it is, with gzip`)
  assert.ok(size(assets) < LARGEST && size(dashboardAssets()) < LARGEST)
})
