/** A line on a terminal that says how far training is and how long it will take; nothing where standard error is no terminal. */
export function progressLine(
  stream: NodeJS.WriteStream,
  now: () => number,
): { say: (share: number) => void; end: () => void } {
  if (!stream.isTTY) return { say: () => {}, end: () => {} }
  const began = now()
  return {
    say: (share) => {
      const left = Math.ceil(((now() - began) * (1 - share)) / share / 1000)
      const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
      stream.write(`\r\u001B[Ktraining: ${Math.round(100 * share)} %, ${time} left`)
    },
    end: () => stream.write('\r\u001B[K'),
  }
}
