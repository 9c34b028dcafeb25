import { pino, type Logger } from 'pino'
import { ApiServer } from './api-server.ts'
import { cleanup } from './cleanup.ts'
import { startOperator } from './operator.ts'
import { SettingsError, readSettings, settingsHelp, type Settings } from './settings.ts'
import { startTracing } from './tracing.ts'

/** What a cleanup has to know. */
const CLEANUP = [
  'kubeconfig',
  'serviceAccount',
  'namespace',
  'pod',
  'watchNamespaces',
  'caSecret',
  'lease',
  'service',
  'logLevel',
] as const

/** What is done: `run`, or `cleanup` after an uninstall. */
const [command = 'run', ...rest] = process.argv[2]?.startsWith('-')
  ? ['run', ...process.argv.slice(2)]
  : process.argv.slice(2)

if (rest.includes('--help') || rest.includes('-h') || !['run', 'cleanup'].includes(command)) {
  process.stdout.write(`Usage: operator [run | cleanup] [settings]\n\n${settingsHelp()}\n`)
  process.exit(['run', 'cleanup'].includes(command) ? 0 : 2)
}

function logger({ logLevel, pod }: Pick<Settings, 'logLevel' | 'pod'>): Logger {
  return pino({ level: logLevel, base: { pod }, timestamp: pino.stdTimeFunctions.isoTime })
}

try {
  if (command === 'cleanup') {
    const settings = readSettings(rest, process.env, CLEANUP)
    const api = await ApiServer.connect(settings.kubeconfig, settings.serviceAccount)
    await cleanup(api, settings, logger(settings))
    await api.close()
  } else {
    const settings = readSettings(rest, process.env)
    const log = logger(settings)
    const stopTracing = await startTracing(process.env)
    const operator = await startOperator(settings, log)
    let stopping = false
    const stop = (signal: string) => {
      if (stopping) return
      stopping = true
      log.info({ signal }, 'stopping')
      setTimeout(() => process.exit(1), 20_000).unref()
      void operator
        .stop()
        .then(stopTracing)
        .then(() => process.exit(0))
    }
    process.on('SIGTERM', stop).on('SIGINT', stop)
  }
} catch (error) {
  process.stderr.write(`${error instanceof SettingsError ? error.message : (Object(error).stack ?? String(error))}\n`)
  process.exit(error instanceof SettingsError ? 2 : 1)
}
