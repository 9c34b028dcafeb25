import type { Registry } from 'prom-client'
import type { Metrics } from './metrics.ts'
import { counted, measured } from './families.ts'
import type { Value } from './families.ts'
import type { Gauges } from './gauges.ts'

/**
 * The text that Prometheus reads. The library that writes it is loaded when first asked for: it would otherwise cost every start 15 ms.
 * What happens on the request path is counted by `Metrics`, since the library's counters take half a microsecond each.
 */
export class Exposition {
  private registry: Promise<Registry> | undefined
  private readonly metrics: Metrics
  private readonly gauges: () => Gauges

  constructor(metrics: Metrics, gauges: () => Gauges) {
    this.metrics = metrics
    this.gauges = gauges
  }

  /** Text in Prometheus' format 0.0.4. */
  async text(): Promise<string> {
    const registry = await (this.registry ??= this.build())
    const text = await registry.metrics()
    // Once they were read to the last, the counts of routes that are gone can go as well.
    this.metrics.retain(this.gauges().routes)
    return text
  }

  private async build(): Promise<Registry> {
    const { collectDefaultMetrics, Registry } = (await import('prom-client')).default
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const add = (name: string, type: string, help: string, values: () => Value[]) => {
      const metric = { name, get: () => Promise.resolve({ name, help, type, values: values() }) }
      // The registry asks no more of a metric than these two; the library's type lists the members of its own classes.
      registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])
    }
    for (const { name, type, help, values } of counted)
      add(name, type, help, () => {
        const gauges = this.gauges()
        return [...this.metrics.targets()].flatMap((counts) => values(counts, gauges))
      })
    for (const { name, type, help, values } of measured) add(name, type, help, () => values(this.gauges()))
    return registry
  }
}
