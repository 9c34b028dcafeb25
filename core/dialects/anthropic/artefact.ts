import type { Artefact, ArtefactFormat } from '../../chat.ts'

const formats: readonly ArtefactFormat[] = ['openai', 'anthropic', 'gemini', 'bedrock', 'cohere']

/** What another provider signed is named in front, so that it finds its way back; Anthropic's own has no colon in it, being base64. */
export function writeArtefact({ format, value }: Artefact): string {
  return format === 'anthropic' ? value : `${format}:${value}`
}

export function readArtefact(text: string): Artefact {
  const format = formats.find((it) => text.startsWith(`${it}:`))
  return format ? { format, value: text.slice(format.length + 1) } : { format: 'anthropic', value: text }
}
