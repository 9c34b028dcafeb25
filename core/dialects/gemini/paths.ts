import type { Found } from '../../surfaces/surface.ts'

/** `/v1beta/models/M:METHOD`, with Vertex AI's longer form of it; names of models may hold slashes and colons. */
const PATH =
  /^\/v1(?:alpha|beta|beta1)?\/(?:projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/)?(?:models|(tunedModels))\/(.+):(\w+)$/

/** What a path of the Gemini API says, for the method; undefined for others. */
export function modelMethod(path: string, method: string): { readonly model: string } | undefined {
  const [, tuned, name, last] = PATH.exec(path) ?? []
  if (name === undefined || last !== method) return undefined
  try {
    return { model: tuned === undefined ? decodeURIComponent(name) : `${tuned}/${decodeURIComponent(name)}` }
  } catch {
    return undefined
  }
}

/** The same as a surface finds it. */
export function foundAt(path: string, method: string, stream: boolean): Found | undefined {
  const found = modelMethod(path, method)
  return found && { path, method: 'POST', model: found.model, stream }
}
