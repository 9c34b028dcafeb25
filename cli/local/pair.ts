import type { Channel } from '../../operator/channel.ts'
import type { Follower } from '../../sidecar/follower.ts'

/**
 * Operator and sidecar of one process, face to face: gives the operator's end, and `open` lets the sidecar say hello. Messages are handed
 * over in order, never from within one another.
 */
export function pair(follower: Follower): { readonly channel: Channel; readonly open: () => void } {
  let heard: (text: string) => void = () => {}
  let closed = false
  const channel: Channel = {
    send: (text) =>
      queueMicrotask(() => {
        if (!closed) follower.hear(text)
      }),
    close() {
      closed = true
      follower.close()
    },
    buffered: () => 0,
    onMessage: (listener) => (heard = listener),
    // Neither end goes before the other: nothing closes it but the operator itself.
    onClose: () => {},
  }
  return { channel, open: () => follower.open((text) => queueMicrotask(() => heard(text))) }
}
