/** Round values from one number to another, five or so: steps of 1, 2 or 5 times a power of ten. */
export function roundTicks(from: number, to: number): readonly number[] {
  const rough = (to - from) / 5 || 0.01
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((it) => it * power >= rough) ?? 10) * power
  const ticks: number[] = []
  for (let tick = Math.ceil(from / step - 1e-9) * step; tick <= to + 1e-9; tick += step) ticks.push(tick)
  return ticks
}
