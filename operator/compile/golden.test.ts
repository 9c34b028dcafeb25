import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { dump, load } from 'js-yaml'
import { canonical } from '../../core/digest.ts'
import { NO_FLEET } from '../fleet.ts'
import { readManifests } from '../source/manifest.ts'
import { Shelf } from '../source/shelf.ts'
import { statuses } from '../statuses.ts'
import type { StatusOf } from '../statuses.ts'
import { compile } from './index.ts'

// test/golden/compile/CASE/input.yaml is a world; output.yaml is what it comes to. UPDATE=1 writes the outputs anew: review the difference.
/** When it is. */
const WALL = Date.parse('2026-01-31T12:00:00Z')
const folder = join(import.meta.dirname, '../../test/golden/compile')

for (const path of globSync('*/input.yaml', { cwd: folder }).sort())
  test(`compile: ${dirname(path)}`, () => {
    const shelf = new Shelf()
    shelf.update(new Map([[path, readManifests(path, readFileSync(join(folder, path), 'utf8'), {})]]))
    const compiled = compile(shelf.world, { allowLoopback: false })
    const pods = [...shelf.world.pods.values()].filter((pod) => pod.injected)
    const output = {
      resources: Object.fromEntries([...compiled.resources].map(([key, { body }]) => [key, body])),
      pods: Object.fromEntries(
        pods.map((pod) => [`${pod.namespace}/${pod.name}`, [...compiled.audience(pod).keys.keys()].sort()]),
      ),
      statuses: Object.fromEntries(
        [...statuses(compiled, NO_FLEET, undefined, WALL)].map(([id, { status }]) => [id, readable(status)]),
      ),
    }
    const file = join(folder, dirname(path), 'output.yaml')
    if (process.env['UPDATE'])
      writeFileSync(file, dump(JSON.parse(canonical(output)), { lineWidth: 140, noRefs: true, flowLevel: 3 }))
    assert.ok(existsSync(file), 'there is no output.yaml yet; UPDATE=1 writes it')
    assert.deepEqual(JSON.parse(canonical(output)), load(readFileSync(file, 'utf8')))
  })

/** Conditions in a line each. */
const readable = ({ conditions, ...rest }: StatusOf['status']) => ({
  ...Object.fromEntries(
    conditions.map(({ type, status, reason, message }) => [type, `${status} ${reason}: ${message}`]),
  ),
  ...rest,
})
