import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { upstream } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { chat, sidecar, to } from './setting.ts'

/** The path at which a simulated Vertex AI is asked, with such settings. */
async function pathOf(t: TestContext, settings: object): Promise<string | undefined> {
  const mock = await upstream(t, { provider: 'vertex-ai' })
  const endpoint = {
    provider: { type: 'VertexAI', vertexAI: settings },
    address: { type: 'URL', url: mock.url },
    models: [{ name: 'gemini-2.5-flash' }],
  }
  const { ask } = await sidecar(t, { endpoints: { e: endpoint }, routes: { chat: chat([to('e')]) } })
  assert.equal((await ask()).status, 200)
  return mock.requests()[0]?.path
}

const MODEL = 'publishers/google/models/gemini-2.5-flash:generateContent'

export const vertexAI: Coverage = {
  'ModelEndpoint spec.provider.vertexAI.project': async (t) => {
    for (const project of ['project-one', 'project-two'])
      assert.equal(
        await pathOf(t, { project, location: 'global' }),
        `/v1/projects/${project}/locations/global/${MODEL}`,
      )
  },

  'ModelEndpoint spec.provider.vertexAI.location': async (t) => {
    for (const location of ['europe-west4', 'global'])
      assert.equal(
        await pathOf(t, { project: 'project-one', location }),
        `/v1/projects/project-one/locations/${location}/${MODEL}`,
      )
  },
}
