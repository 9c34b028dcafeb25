import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { portOf } from '../../operator/listen.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { apply, endpoint, prepare, startOperator } from '../helpers/operators.ts'

interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceId: string
}
/** OTLP/HTTP with JSON, as far as it is looked at. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

describe('the operator’s traces', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()

  test('an edit is a trace: reconcile, and in it compile and push', async (t) => {
    await prepare(server())
    const exports: Export[] = []
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        exports.push(JSON.parse(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)))
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    t.after(() => collector.close())
    const operator = await startOperator(server(), {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${portOf(collector)}`, OTEL_BSP_SCHEDULE_DELAY: '100' },
    })
    t.after(() => operator.stop())
    await server().namespace('ai')
    await apply(server(), endpoint('ai', 'models'))
    await eventually(
      () => {
        const all = exports.flatMap(({ resourceSpans }) => resourceSpans)
        const spans = all.flatMap(({ scopeSpans }) => scopeSpans.flatMap((it) => it.spans))
        // The first one is of the start.
        const reconcile = spans.filter(({ name }) => name === 'reconcile')[1]
        assert.ok(reconcile)
        const inside = spans.filter(({ parentSpanId }) => parentSpanId === reconcile.spanId)
        assert.deepEqual(
          inside.map(({ name, traceId }) => [name, traceId]),
          [
            ['compile', reconcile.traceId],
            ['push', reconcile.traceId],
          ],
        )
        assert.ok(
          all[0]?.resource.attributes.some(
            ({ key, value }) => key === 'service.name' && value.stringValue === 'tradewind-operator',
          ),
        )
      },
      { within: 20_000 },
    )
  })
})
