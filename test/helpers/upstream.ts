import type { TestContext } from 'node:test'
import { type Mock, type MockOptions, startMock } from '../../cli/mock/server.ts'

/**
 * Starts one simulated model server for each entry, on free loopback ports; they close when the test ends. Names are `a`, `b`, … unless
 * given. Faults per mock with `setFaults`, per request with the header `x-mock-fault`.
 */
export async function upstreams<const T extends readonly MockOptions[]>(
  t: TestContext,
  ...options: T
): Promise<{ -readonly [K in keyof T]: Mock }> {
  const mocks = await Promise.all(options.map((it, i) => upstream(t, { name: String.fromCharCode(97 + i), ...it })))
  // Promise.all keeps the number and the order of what it was given.
  return mocks as { -readonly [K in keyof T]: Mock }
}

/** Starts one simulated model server that closes when the test ends. */
export async function upstream(t: TestContext, options: MockOptions = {}): Promise<Mock> {
  const mock = await startMock(options)
  t.after(() => mock.close())
  return mock
}
