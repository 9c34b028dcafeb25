import type { TestContext } from 'node:test'

/** For fields by their path, a test that shows behaviour that differs with the field and without it, or with another value. */
export type Coverage = Readonly<Record<string, (t: TestContext) => Promise<void>>>
