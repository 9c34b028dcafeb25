import type { Artefact, ArtefactFormat } from '../../chat.ts'

/** What Google takes in place of a signature for calls that another model made: https://ai.google.dev/gemini-api/docs/thought-signatures */
export const ESCAPE = 'skip_thought_signature_validator'

const formats: readonly ArtefactFormat[] = ['openai', 'anthropic', 'bedrock', 'cohere']

/** How what another provider signed begins, in base64: as many letters as its name alone decides. */
export const foreignPrefixes: readonly string[] = formats.map((format) => {
  const bytes = Buffer.from(format)
  return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
})

/** What a caller gets as `thoughtSignature`: the field is bytes, so what another provider signed is named in front and put in base64. */
export function writeSignature({ format, value }: Artefact, hidden = false): string {
  if (format === 'gemini') return value
  return Buffer.from(`${format}${hidden ? '/hidden' : ''}:${value}`).toString('base64')
}

/** What a caller's `thoughtSignature` is; `hidden`: thought that its provider hides. Undefined for the escape, which signs nothing. */
export function readSignature(text: string): { readonly artefact: Artefact; readonly hidden: boolean } | undefined {
  // Clients that hold bytes write base64 in either alphabet.
  const bytes = Buffer.from(text, 'base64').toString()
  if (text === ESCAPE || bytes === ESCAPE) return undefined
  for (const format of formats)
    for (const hidden of [false, true]) {
      const prefix = `${format}${hidden ? '/hidden' : ''}:`
      if (bytes.startsWith(prefix)) return { artefact: { format, value: bytes.slice(prefix.length) }, hidden }
    }
  return { artefact: { format: 'gemini', value: text }, hidden: false }
}
