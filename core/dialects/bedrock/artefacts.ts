import type { Artefact, ArtefactFormat } from '../../chat.ts'
import { readArtefact, writeArtefact } from '../anthropic/artefact.ts'

/**
 * Hidden thought is bytes to Bedrock, hence base64 in JSON; Claude's, which Anthropic's own API has as text, is the bytes of that text.
 * `format`: whose it is.
 */
export function readRedacted(base64: string, format: ArtefactFormat): Artefact {
  return { format, value: format === 'anthropic' ? Buffer.from(base64, 'base64').toString() : base64 }
}

export function writeRedacted({ format, value }: Artefact): string {
  return format === 'anthropic' ? Buffer.from(value).toString('base64') : value
}

/** The same for apps, which hand back what they got: what others hid is text with the name of its format in front. */
export function readRedactedOfApp(base64: string): Artefact {
  const text = Buffer.from(base64, 'base64').toString()
  const artefact = readArtefact(text)
  // What is no text is of a model of Bedrock's that is no Claude.
  return artefact.format === 'anthropic' && !/^[\x20-\x7e]*$/.test(text)
    ? { format: 'bedrock', value: base64 }
    : artefact
}

export function writeRedactedForApp(artefact: Artefact): string {
  return artefact.format === 'bedrock' ? artefact.value : Buffer.from(writeArtefact(artefact)).toString('base64')
}
