/** Whether the arguments of a call, as far as they have come, are the JSON text of an object: the call is whole. */
export function areWhole(text: string): boolean {
  // They come in many pieces, and few end like this: the others need no parser.
  if (!text.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
