import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debian } from '../install.ts'
import { noHeaders, type System } from '../system.ts'

/** The directives that any nginx here needs: everything below `directory`, one worker, in the foreground. */
export function nginxConfig(directory: string, http: string): string {
  return `pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 8m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
${http}
}
`
}

/** Writes the configuration and returns the command that runs it. */
export function nginxCommand(directory: string, config: string): readonly string[] {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, config)
  return [debian('nginx', 'nginx-light'), '-p', directory, '-e', `${directory}/error.log`, '-c', file]
}

/** The floor: a proxy in C without the features, apart from the weighted split. */
export const nginx: System = {
  name: 'nginx',
  features:
    'proxy_pass over kept connections, weighted split; no access log, no metrics, no retries on answers: a floor',
  async install() {
    // nginx prints its version to the error stream.
    const { stderr } = spawnSync(debian('nginx', 'nginx-light'), ['-v'], { encoding: 'utf8' })
    return /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown'
  },
  prepare({ directory, port, targets, routes }) {
    const others = Array.from(
      { length: routes - 1 },
      (_, i) => `    location /route-${i + 1}/ { proxy_pass http://models; }`,
    )
    const config = nginxConfig(
      directory,
      `  upstream models {
${targets.map((target) => `    server 127.0.0.1:${target.port} weight=${target.weight};`).join('\n')}
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 600s;
    location / { proxy_pass http://models; }
${others.join('\n')}
  }`,
    )
    return { command: nginxCommand(directory, config), port, headers: noHeaders, config }
  },
  evidence: async () => '',
}
