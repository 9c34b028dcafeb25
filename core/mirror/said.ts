import { frameParser } from '../framing.ts'
import { Ear } from '../gate/said.ts'
import type { Said } from '../gate/said.ts'
import type { Surface, Watch } from '../surfaces/surface.ts'

/**
 * What an answer says, by the bytes that the caller got, or would have got: in the caller's own dialect, whoever gave it. Undefined where that is not one whole
 * answer that can be read.
 */
export function saidIn({ watch }: Surface, streamed: boolean, chunks: readonly Buffer[]): Said | undefined {
  if (!watch) return undefined
  const ear = new Ear(false)
  try {
    if (streamed) hearStream(ear, watch, chunks)
    else ear.hear(watch.read(JSON.parse(Buffer.concat(chunks).toString())))
  } catch {
    // It is not what the API says: the caller got it all the same, and nothing can be said of it here.
    return undefined
  }
  const [said, another] = ear.said
  return ear.whole && !another ? said : undefined
}

function hearStream(ear: Ear, watch: Watch, chunks: readonly Buffer[]): void {
  const parser = frameParser(watch.framing)
  const reader = watch.reader()
  for (const chunk of chunks) for (const frame of parser.push(chunk)) if (!frame.empty) ear.hear(reader.read(frame))
  const last = parser.end()
  if (last && !last.empty) ear.hear(reader.read(last))
  ear.hear(reader.end())
}
