import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import compiled from 'ajv/dist/standalone/index.js'
import { build, transform } from 'esbuild'
import type { Plugin } from 'esbuild'
import { compiledSchemas } from '../api/compiled.ts'
import { withoutRepetition } from '../sidecar/repeated.ts'
import { dashboardFiles } from '../operator/dashboard-files.ts'
import { options } from '../sidecar/validators.ts'

/** Puts in the place of `sidecar/validators.ts` what ajv makes of the schemas, so that neither ajv nor its work is part of the program. */
export const validatorsAhead: Plugin = {
  name: 'validators ahead of time',
  setup(build) {
    build.onLoad({ filter: /[/\\]sidecar[/\\]validators\.ts$/ }, async () => {
      const ajv = new Ajv({ ...options, code: { source: true, esm: true } })
      const kinds = Object.keys(compiledSchemas)
      for (const [kind, schema] of Object.entries(compiledSchemas)) ajv.addSchema(withoutRepetition(schema), kind)
      const named = Object.fromEntries(kinds.map((kind) => [kind, kind]))
      const text = `${compiled.default(ajv, named)}\nexport const validators = {${kinds.join()}}`
      // Names that nobody gave tell nobody anything, and are a third of it.
      const { code } = await transform(text, { minify: true, format: 'esm', target: 'node26' })
      return { contents: code, loader: 'js' }
    })
  },
}

/**
 * Fetches Node's own modules as CommonJS does. Imported, each would be asked for all that it exports, and `node:http` loads undici,
 * HTTP/2, readline and worker threads when it is asked for its `WebSocket`: 15 MB, and 30 ms of CPU at the start.
 */
export const builtinsByNeed: Plugin = {
  name: 'builtins by need',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ kind, path }) =>
      kind === 'require-call' ? undefined : { path, namespace: 'builtin' },
    )
    build.onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

/** Bundles what `sidecar/re2.ts` asks Node for when it is needed, asleep until then. */
export const engineByNeed: Plugin = {
  name: 'engine by need',
  setup(build) {
    build.onLoad({ filter: /[/\\]sidecar[/\\]re2\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const contents = text.replace("load('re2js')", "require('re2js')")
      if (contents === text) throw new Error(`${path} does not load the engine as it did`)
      return { contents, loader: 'ts' }
    })
  },
}

/** Puts the dashboard's files into the program in the place of what reads them, its scripts as one, all without what only people read. */
export const dashboardWithin: Plugin = {
  name: 'dashboard within',
  setup(bundler) {
    bundler.onLoad({ filter: /[/\\]operator[/\\]dashboard-files\.ts$/ }, async ({ path }) => {
      const { 'index.html': page = '', 'icon.svg': icon = '' } = dashboardFiles()
      const room = join(dirname(path), '../dashboard')
      const { outputFiles } = await build({
        entryPoints: [join(room, 'app.js'), join(room, 'style.css')],
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2023',
        charset: 'utf8',
        write: false,
        outdir: room,
        legalComments: 'none',
      })
      const built = outputFiles.map(({ path, text }) => [basename(path), text])
      const files = JSON.stringify({ 'index.html': page, 'icon.svg': icon, ...Object.fromEntries(built) })
      return { contents: `export const dashboardFiles = () => (${files})`, loader: 'js' }
    })
  },
}
