import { CAPABILITIES, PROTOCOL } from '../../api/protocol.ts'
import type { Report } from '../../api/protocol.ts'
import { Sketch } from '../../core/evidence/sketch.ts'
import { writeSketch } from '../../core/evidence/wire.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Stage } from './stage.ts'

/** Many sidecars and many routes. */
export interface Crowd {
  /** Has each of the next `count` sidecars report what it has seen of some routes. */
  report(count: number): void
}

const ENDPOINTS = 40

/**
 * Puts `routes` routes of one namespace, each of two targets, and `sidecars` sidecars that are to serve all of them, on the stage. The
 * sidecars keep nothing of what they are sent: they acknowledge.
 */
export function crowd(
  stage: Stage,
  { sidecars, routes }: { readonly sidecars: number; readonly routes: number },
): Crowd {
  const { world } = stage
  const names = Array.from({ length: routes }, (_, at) => `ai/route-${String(at).padStart(4, '0')}`)
  const of = (at: number) => [at % ENDPOINTS, (at * 7 + 1) % ENDPOINTS].map((it) => `models-${it}`)
  for (let at = 0; at < ENDPOINTS; at++) world.endpoint(`ai/models-${at}`)
  for (const [at, name] of names.entries()) {
    const [first = '', second = ''] = of(at)
    world.route(name, `model-${at}`, first === second ? { [first]: 1 } : { [first]: 80, [second]: 20 })
  }
  const pods = Array.from({ length: sidecars }, (_, at) => `ai/app-${String(at).padStart(4, '0')}`)
  for (const pod of pods) world.pod(pod)
  stage.publish()
  const ends = pods.map((pod) => connect(stage, pod))
  const random = seeded(3)
  const sketches = Array.from({ length: 50 }, () => {
    const latency = new Sketch()
    for (let answer = 0; answer < 20; answer++) latency.add(300 * Math.exp(random() - 0.5))
    return writeSketch(latency)
  })
  let next = 0
  return {
    report(count) {
      for (let i = 0; i < count; i++, next++) {
        const targets = Array.from({ length: 20 }, (_, step) => {
          const at = (next * 20 + step) % routes
          const latency = sketches[Math.floor(random() * sketches.length)] ?? []
          const [endpoint = ''] = of(at)
          return {
            route: names[at] ?? '',
            rule: '0',
            endpoint: `ai/${endpoint}`,
            model: 'm',
            requests: 20,
            errors: random() < 0.2 ? 1 : 0,
            cost: 1e9,
            latency,
          }
        })
        const models = Array.from({ length: ENDPOINTS }, (_, at) => ({
          endpoint: `ai/models-${at}`,
          model: 'm',
          state: 'closed' as const,
          healthy: true,
        }))
        ends[next % ends.length]?.({ type: 'report', window: 5000, targets, models, age: 0 })
      }
    },
  }
}

/** The end of a sidecar that acknowledges whatever it is sent. Gives what has it report. */
function connect({ push }: Stage, name: string): (report: Report) => void {
  const [namespace = '', pod = ''] = name.split('/')
  let heard: (text: string) => void = () => {}
  push.attach(
    {
      send(text) {
        // The digest is the update's last member.
        const [, nonce] = /^\{"type":"update","nonce":(\d+)/.exec(text) ?? []
        const digest = text.slice(-34, -2)
        if (nonce !== undefined)
          queueMicrotask(() => heard(JSON.stringify({ type: 'ack', nonce: Number(nonce), digest })))
      },
      close() {},
      buffered: () => 0,
      onMessage: (listener) => (heard = listener),
      onClose() {},
    },
    { namespace, pod, uid: name, labels: {}, serviceAccount: 'default' },
  )
  heard(JSON.stringify({ type: 'hello', protocol: PROTOCOL, version: '0.1.0', capabilities: CAPABILITIES, have: {} }))
  return (report) => heard(JSON.stringify(report))
}
