import { Log } from './log.ts'
import { readSettings } from './settings.ts'
import { startSidecar } from './sidecar.ts'

/** The sidecar as a program: settings from the environment, until SIGTERM, after which what is in flight is answered. */
async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const log = new Log(settings.logLevel)
  const sidecar = await startSidecar(settings, process.env, log)
  const { host, port } = settings.listen
  log.info('Listening.', { address: `${host}:${port}`, startedIn: Math.round(performance.now()) })
  let stopping = false
  const stop = () => {
    // Who asks twice means it.
    if (stopping) process.exit(1)
    stopping = true
    log.info('Stopping: what is in flight is answered first.')
    void sidecar.stop().finally(() => {
      log.end()
      process.exit(0)
    })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
