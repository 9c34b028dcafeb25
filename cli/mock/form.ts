/** A part of a form; a file has a name. */
export interface FormPart {
  readonly name: string
  readonly file: string | undefined
  readonly bytes: Buffer
}

/** The parts of `multipart/form-data` (RFC 7578), or undefined where the body is no such form. */
export function readForm(contentType: string, body: Buffer): readonly FormPart[] | undefined {
  const boundary = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)
  const divider = boundary ? `--${boundary[1] ?? boundary[2]}` : undefined
  // One character a byte, so that what is cut out of the text is what stands in the bytes.
  const text = body.toString('latin1')
  if (divider === undefined || !text.startsWith(divider)) return undefined
  const pieces = `\r\n${text}`.split(`\r\n${divider}`).slice(1)
  if (!pieces.at(-1)?.startsWith('--')) return undefined
  return pieces.slice(0, -1).map((piece) => {
    const blank = piece.indexOf('\r\n\r\n')
    const head = Buffer.from(piece.slice(0, blank), 'latin1').toString()
    const file = /;\s*filename="([^"]*)"/i.exec(head)?.[1]
    return {
      name: /;\s*name="([^"]*)"/i.exec(head)?.[1] ?? '',
      file,
      bytes: Buffer.from(piece.slice(blank + 4), 'latin1'),
    }
  })
}
