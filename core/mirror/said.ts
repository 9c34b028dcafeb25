import { frameParser } from '../framing.ts'
import { Ear } from '../gate/said.ts'
import type { Said } from '../gate/said.ts'
import type { Surface, Watch } from '../surfaces/surface.ts'

/** So many bytes of a stream are read at a stretch. */
const STRETCH = 32 * 1024

/**
 * What an answer says, by the bytes that the caller got, or would have got: in the caller's own dialect, whoever gave it. Undefined where that is not one whole
 * answer that can be read. `pause`: waits until others have had their turn.
 */
export async function saidIn(
  { watch }: Surface,
  streamed: boolean,
  chunks: readonly Buffer[],
  pause: () => Promise<void>,
): Promise<Said | undefined> {
  if (!watch) return undefined
  const ear = new Ear(false)
  try {
    if (streamed) await hearStream(ear, watch, chunks, pause)
    else ear.hear(watch.read(JSON.parse(Buffer.concat(chunks).toString())))
  } catch {
    // It is not what the API says: the caller got it all the same, and nothing can be said of it here.
    return undefined
  }
  const [said, another] = ear.said
  return ear.whole && !another ? said : undefined
}

async function hearStream(
  ear: Ear,
  watch: Watch,
  chunks: readonly Buffer[],
  pause: () => Promise<void>,
): Promise<void> {
  const parser = frameParser(watch.framing)
  const reader = watch.reader()
  let read = 0
  for (const chunk of chunks) {
    for (const frame of parser.push(chunk)) if (!frame.empty) ear.hear(reader.read(frame))
    read += chunk.length
    if (read < STRETCH) continue
    read = 0
    await pause()
  }
  const last = parser.end()
  if (last && !last.empty) ear.hear(reader.read(last))
  ear.hear(reader.end())
}
