import type { Benchmark } from './benchmark.ts'
import { decisions } from './benchmarks/decisions.ts'
import { edit } from './benchmarks/edit.ts'
import { fanout } from './benchmarks/fanout.ts'
import { growth } from './benchmarks/growth.ts'
import { largePrompt } from './benchmarks/large-prompt.ts'
import { latency } from './benchmarks/latency.ts'
import { memory } from './benchmarks/memory.ts'
import { mirror } from './benchmarks/mirror.ts'
import { start } from './benchmarks/start.ts'
import { streams } from './benchmarks/streams.ts'
import { throughput } from './benchmarks/throughput.ts'
import { translate } from './benchmarks/translate.ts'
import { ttft } from './benchmarks/ttft.ts'

/** Every benchmark, in the order in which `make bench` runs them. */
export const benchmarks: readonly Benchmark[] = [
  throughput,
  decisions,
  latency,
  mirror,
  largePrompt,
  ttft,
  translate,
  streams,
  memory,
  start,
  edit,
  fanout,
  growth,
]
