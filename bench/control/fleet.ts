// Many sidecars' clients in one process, each the sidecar's own configuration module without a data path:
// `node bench/control/fleet.ts DIRECTORY`. Commands come by IPC, each with an id that its answer carries.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../../sidecar/client.ts'
import { Follower } from '../../sidecar/follower.ts'
import { now } from '../wire.ts'

export type FleetCommand =
  /** Answered once all of them have their configuration, with how many there are by now. */
  | {
      readonly type: 'connect'
      readonly operator: string
      readonly ca: string
      readonly sidecars: readonly { readonly name: string; readonly token: string }[]
    }
  /** Forgets what was applied. */
  | { readonly type: 'reset' }
  /** Answered with `Applied` since `reset`. */
  | { readonly type: 'applied' }

export interface Applied {
  readonly count: number
  /** When the last of them was in force. */
  readonly last: number
  /** Connections that ended since `reset`. */
  readonly lost: number
}

const directory = process.argv[2] ?? ''
let count = 0
let last = 0
let lost = 0
let connected = 0

async function connect({ operator, ca, sidecars }: FleetCommand & { type: 'connect' }): Promise<number> {
  const caFile = join(directory, 'ca.crt')
  writeFileSync(caFile, ca)
  // Pods do not all start in the same moment; a few at a time come as fast as they are let in.
  const queue = [...sidecars]
  const next = async (): Promise<void> => {
    for (let it = queue.pop(); it; it = queue.pop()) await one(it.name, it.token, operator, caFile)
  }
  await Promise.all(Array.from({ length: 16 }, next))
  return connected
}

function one(name: string, token: string, operator: string, caFile: string): Promise<void> {
  const tokenFile = join(directory, `${name}.token`)
  writeFileSync(tokenFile, token)
  return new Promise((resolve) => {
    const follower = new Follower({
      apply: () => [],
      wall: () => Date.now(),
      applied: () => {
        count += 1
        last = now()
        resolve()
      },
    })
    const changed = (isConnected: boolean): void => {
      connected += isConnected ? 1 : 0
      lost += isConnected ? 0 : 1
    }
    new Client({ operator, tokenFile, caFile, follower, changed }).start()
  })
}

process.on('message', ({ id, command }: { readonly id: number; readonly command: FleetCommand }) => {
  const answer = (value: unknown) => process.send?.({ id, value })
  if (command.type === 'connect') void connect(command).then(answer)
  else if (command.type === 'applied') answer({ count, last, lost } satisfies Applied)
  else {
    count = last = lost = 0
    answer(undefined)
  }
})
process.on('disconnect', () => process.exit())
