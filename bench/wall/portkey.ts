import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { directory, loopback, version } from '../systems/portkey.ts'
import { SILENCE } from './gateway.ts'
import type { Gateway } from './gateway.ts'

/** Fallback on any failure, as its documentation has it; the time of a request bounds what comes before the headers. */
export const portkey: Gateway = {
  name: 'Portkey',
  async install() {
    directory()
    return version
  },
  command({ directory: own, port, urls }) {
    const preload = join(own, 'loopback.mjs')
    writeFileSync(preload, loopback)
    const config = {
      strategy: { mode: 'fallback' },
      targets: urls.map((custom_host) => ({
        provider: 'openai',
        api_key: 'sk-wall',
        custom_host,
        request_timeout: SILENCE,
      })),
    }
    const entry = join(directory(), 'node_modules/@portkey-ai/gateway/build/start-server.js')
    return {
      command: [process.execPath, '--import', preload, entry, `--port=${port}`, '--headless'],
      environment: { NODE_ENV: 'production' },
      headers: { 'x-portkey-config': JSON.stringify(config) },
    }
  },
}
