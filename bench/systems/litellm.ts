import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { cached, run } from '../install.ts'
import type { System } from '../system.ts'
import { aliases, type Api, models, request } from '../wire.ts'

export const version = '1.106.2'

/** Everything that it needs, as pip chose it for this version: what the package itself asks for is ranges. */
const pins = join(import.meta.dirname, 'litellm-requirements.txt')

export function directory(): string {
  return cached(`litellm-${version}`, (to) => {
    run('python3', ['-m', 'venv', to])
    run(join(to, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', pins])
  })
}

const bases: Readonly<Record<Api, string>> = { openai: '/v1', anthropic: '' }

/** It does not start without one, and takes none that could be guessed. */
const key = `sk-${randomBytes(32).toString('hex')}`
const authorization = { authorization: `Bearer ${key}` }

/** The LLM gateway that is used most. */
export const litellm: System = {
  name: 'litellm',
  features:
    'load balancing 90/10, retries; one key for all and no database, so that it does no more than the others; one worker',
  carries: () => true,
  async install() {
    directory()
    return version
  },
  prepare({ directory: own, port, targets, routes }) {
    const entries = (name: string, api: Api): readonly object[] =>
      targets.map((target) => ({
        model_name: name,
        litellm_params: {
          model: `${api}/${models[api]}`,
          api_base: `http://127.0.0.1:${target.port}${bases[api]}`,
          api_key: 'sk-bench',
          weight: target.weight,
        },
      }))
    const apis: readonly Api[] = ['openai', 'anthropic']
    const asked = apis.flatMap((api) => [models[api], aliases[api]].flatMap((name) => entries(name, api)))
    const others = Array.from({ length: Math.max(0, routes - 4) }, (_, i) => entries(`other-${i}`, 'openai')).flat()
    const config = dump(
      {
        model_list: [...asked, ...others],
        router_settings: { routing_strategy: 'simple-shuffle', num_retries: 2 },
        // Callers of messages would be answered by OpenAI's responses otherwise, which the upstream does not speak.
        litellm_settings: { telemetry: false, use_chat_completions_url_for_anthropic_messages: true },
      },
      { noRefs: true },
    )
    const file = join(own, 'litellm.yaml')
    writeFileSync(file, config)
    const options = ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1']
    return {
      command: [join(directory(), 'bin/litellm'), ...options, '--telemetry', 'False'],
      // Its price list is in the package: it need not be fetched. And it logs each request at INFO unless told otherwise.
      environment: {
        LITELLM_MASTER_KEY: key,
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_LOG: 'ERROR',
        LITELLM_MODE: 'PRODUCTION',
      },
      port,
      headers: { openai: authorization, anthropic: authorization },
      config,
    }
  },
  async evidence({ port }) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: request,
    })
    await answer.arrayBuffer()
    return [...answer.headers]
      .filter(([name]) => /^x-litellm-(version|model|attempted|response-cost|overhead)/.test(name))
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n')
  },
}
