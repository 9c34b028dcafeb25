import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { crd, crdName } from './crd.ts'
import { checkRules } from './cel.ts'
import { kinds } from './kinds.ts'
import { providersPage } from './providers-page.ts'
import { reference } from './reference.ts'

const NOTICE = 'Generated from api/ by `make generate`; do not edit.'

/** Paths below the root and what is to stand there. */
export function generated(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const kind of kinds) {
    checkRules(kind.spec)
    const yaml = (annotations: Record<string, string>) => dump(crd(kind, annotations), { noRefs: true, lineWidth: -1 })
    files.set(`crds/${crdName(kind)}.yaml`, `# ${NOTICE}\n${yaml({})}`)
    files.set(
      `charts/tradewind/templates/crds/${crdName(kind)}.yaml`,
      template(yaml({ 'helm.sh/resource-policy': 'keep' })),
    )
  }
  files.set('docs/reference.md', reference(kinds, NOTICE))
  files.set('docs/providers.md', providersPage(NOTICE))
  return files
}

/**
 * Templates rather than the chart's `crds/` folder: Helm never upgrades what is in that. Braces in a description are escaped, and the
 * annotation that keeps the definitions (and so the users' objects) on uninstall is there unless `crds.keep` is false.
 */
function template(yaml: string): string {
  const escaped = yaml.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`)
  const kept = escaped.replace(
    /^ {2}annotations:\n {4}.*\n/m,
    (lines) => `{{- if .Values.crds.keep }}\n${lines}{{- end }}\n`,
  )
  return `{{- /* ${NOTICE} */ -}}\n{{- if .Values.crds.install }}\n${kept}{{- end }}\n`
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  for (const [path, text] of generated()) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}
