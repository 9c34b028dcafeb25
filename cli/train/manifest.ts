import { dump } from 'js-yaml'
import { ARTEFACT_KEY, ARTEFACT_LABEL } from '../../operator/world.ts'
import type { Trained } from './train.ts'

/** The ConfigMap that carries an artefact to the operator, as YAML. */
export function artefactManifest(name: string, { artefact, bytes }: Trained): string {
  return dump(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        labels: { [ARTEFACT_LABEL.name]: ARTEFACT_LABEL.value },
        annotations: {
          'tradewind.dev/artefact-sha256': artefact.hash,
          'tradewind.dev/models': artefact.models.join(', '),
          'tradewind.dev/trained': artefact.provenance.date,
        },
      },
      binaryData: { [ARTEFACT_KEY]: Buffer.from(bytes).toString('base64') },
    },
    { lineWidth: -1 },
  )
}
