import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debian } from '../install.ts'
import { paths, request } from '../wire.ts'
import type { Destination } from './client.ts'

/** What wrk measured; times in milliseconds. */
export interface Load {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

/** Posts the chat request, or another body, over `connections` kept connections, each asking again as soon as it is answered. Throws where an answer failed. */
export async function wrk(
  to: Destination,
  directory: string,
  connections: number,
  seconds: number,
  body = request,
): Promise<Load> {
  const script = join(directory, `wrk-${to.port}.lua`)
  const quoted = (text: string): string => `[==[${text}]==]`
  const headers = Object.entries({ 'content-type': 'application/json', ...to.headers })
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.body = ${quoted(body)}
${headers.map(([name, value]) => `wrk.headers[ ${quoted(name)} ] = ${quoted(value)}`).join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"microseconds":%d,"failed":%d,"p50":%f,"p99":%f}\\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`,
  )
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '10s',
    '-s',
    script,
    `http://127.0.0.1:${to.port}${to.path ?? paths.openai}`,
  ]
  const { stdout } = await promisify(execFile)(debian('wrk', 'wrk'), args)
  // The shape is what the script above prints.
  const result = JSON.parse(/^RESULT (.*)$/m.exec(stdout)?.[1] ?? '{}') as Record<
    'requests' | 'microseconds' | 'failed' | 'p50' | 'p99',
    number
  >
  if (!(result.requests > 0) || result.failed > 0)
    throw new Error(`wrk: ${result.failed} of ${result.requests} requests failed\n${stdout}`)
  return {
    requests: result.requests,
    seconds: result.microseconds / 1e6,
    p50: result.p50 / 1000,
    p99: result.p99 / 1000,
  }
}
