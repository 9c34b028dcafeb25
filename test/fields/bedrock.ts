import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { scratch } from '../helpers/scratch.ts'
import { upstream } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { chat, configOf, sidecar, to } from './setting.ts'

const routes = { chat: chat([to('e')]) }
const models = [{ name: 'm' }]
const secrets = { aws: { 'api-key': 'aws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=secret' } }
const byKey = { type: 'Secret', secret: { name: 'aws' } }

const provider = (region: string) => ({ type: 'Bedrock', bedrock: { region } })

/** Who signs a chat, and for where, as a simulated Bedrock with its STS sees it; of a pod whose service account has a role. */
export async function signedBy(t: TestContext, credentials: object, region = 'eu-west-1'): Promise<string> {
  const mock = await upstream(t, { provider: 'bedrock', apiKey: 'AKIDEXAMPLE:secret' })
  const directory = scratch('role')
  t.after(() => rmSync(directory, { recursive: true }))
  const token = join(directory, 'token')
  writeFileSync(token, 'aaaa.bbbb.cccc')
  const endpoint = { provider: provider(region), address: { type: 'URL', url: mock.url }, models, credentials }
  const { ask } = await sidecar(
    t,
    { endpoints: { e: endpoint }, routes, secrets },
    {
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ENDPOINT_URL_STS: mock.url,
    },
  )
  const { status, text } = await ask()
  assert.equal(status, 200, text)
  const signed = mock.requests().at(-1)?.headers['authorization'] ?? ''
  const [, key, scope] = /Credential=(\w{4})\w*\/\d{8}\/(.*?),/.exec(signed) ?? []
  return `${key}/${scope}`
}

export const bedrock: Coverage = {
  'ModelEndpoint spec.provider.bedrock.region': async (t) => {
    assert.equal(await signedBy(t, byKey), 'AKID/eu-west-1/bedrock/aws4_request')
    assert.equal(await signedBy(t, byKey, 'us-east-2'), 'AKID/us-east-2/bedrock/aws4_request')
    const config = configOf({ endpoints: { e: { provider: provider('us-east-2'), models } }, routes })
    assert.match(JSON.stringify([...config.values()]), /"https:\/\/bedrock-runtime\.us-east-2\.amazonaws\.com"/)
  },
}
