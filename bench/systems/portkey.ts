import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, run } from '../install.ts'
import type { System, Target } from '../system.ts'
import { type Api, isNative, request } from '../wire.ts'

export const version = '1.15.2'
const packages = [`@portkey-ai/gateway@${version}`, 'hono@4.9.7', '@hono/node-server@1.13.5', '@hono/node-ws@1.2.0']

export function directory(): string {
  return cached(`portkey-${version}`, (to) => {
    writeFileSync(join(to, 'package.json'), '{"private":true}\n')
    run(
      'npm',
      ['install', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error', ...packages],
      to,
    )
  })
}

// The gateway takes a port and no address: this keeps it off the other interfaces, and costs nothing once it listens.
export const loopback = `import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function (port, ...rest) { return listen.call(this, port, '127.0.0.1', ...rest.filter((it) => typeof it === 'function')) }
`

/** It travels with each request, in a header. */
function configOf(targets: readonly Target[], provider: Api): object {
  return {
    strategy: { mode: 'loadbalance' },
    retry: { attempts: 2, on_status_codes: [429, 500, 502, 503, 504] },
    targets: targets.map(({ port, weight }) => ({
      provider,
      api_key: 'sk-bench',
      custom_host: `http://127.0.0.1:${port}/v1`,
      weight,
    })),
  }
}

/** An LLM gateway in the same language. */
export const portkey: System = {
  name: 'portkey',
  features: 'load balancing 90/10, retries; it has no access log and no metrics of its own',
  // To callers of Anthropic's API it passes Anthropic's answers, and no other provider's.
  carries: (passage) => isNative(passage) || passage.caller === 'openai',
  async install() {
    directory()
    return version
  },
  prepare({ directory: own, port, targets }) {
    const preload = join(own, 'loopback.mjs')
    writeFileSync(preload, loopback)
    const config = { openai: configOf(targets, 'openai'), anthropic: configOf(targets, 'anthropic') }
    const header = (of: object): Readonly<Record<string, string>> => ({ 'x-portkey-config': JSON.stringify(of) })
    const entry = join(directory(), 'node_modules/@portkey-ai/gateway/build/start-server.js')
    return {
      command: [process.execPath, '--import', preload, entry, `--port=${port}`, '--headless'],
      environment: { NODE_ENV: 'production' },
      port,
      headers: { openai: header(config.openai), anthropic: header(config.anthropic) },
      config: JSON.stringify(config, null, 2),
    }
  },
  async evidence({ port, targets }) {
    const headers = {
      'content-type': 'application/json',
      'x-portkey-config': JSON.stringify(configOf(targets, 'openai')),
    }
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: request,
    })
    await answer.arrayBuffer()
    return [...answer.headers]
      .filter(([name]) => name.startsWith('x-portkey'))
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n')
  },
}
