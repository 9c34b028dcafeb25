import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { directory as installed, version } from '../systems/litellm.ts'
import { SILENCE } from './gateway.ts'
import type { Gateway } from './gateway.ts'

/** A router with a fallback from the first model to the second, no retries besides, and no model put aside for what it did before. */
export const litellm: Gateway = {
  name: 'LiteLLM',
  async install() {
    installed()
    return version
  },
  command({ directory, port, urls }) {
    const of = (name: string, url: string) => ({
      model_name: name,
      litellm_params: {
        model: 'openai/gpt-4o',
        api_base: url,
        api_key: 'sk-wall',
        timeout: SILENCE / 1000,
        stream_timeout: SILENCE / 1000,
      },
    })
    const config = {
      model_list: [of('gpt-4o', urls[0]), of('second', urls[1])],
      router_settings: { num_retries: 0, fallbacks: [{ 'gpt-4o': ['second'] }], disable_cooldowns: true },
      litellm_settings: { num_retries: 0, telemetry: false },
    }
    const path = join(directory, 'litellm.yaml')
    // JSON is YAML.
    writeFileSync(path, JSON.stringify(config))
    return {
      command: [join(installed(), 'bin/litellm'), '--config', path, '--host', '127.0.0.1', '--port', String(port)],
      environment: {
        LITELLM_TELEMETRY: 'False',
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        NO_DOCS: 'True',
        // It is on loopback, for as long as the wall takes.
        LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
      },
      headers: {},
    }
  },
}
