import assert from 'node:assert/strict'
import test from 'node:test'
import { PeakEwma } from './ewma.ts'

function make(halfLife = 10_000) {
  const clock = { at: 500 }
  return { clock, ewma: new PeakEwma(() => clock.at, halfLife) }
}

test('ewma: a peak counts at once, and halves in a half-life', () => {
  const { clock, ewma } = make()
  ewma.observe(10)
  assert.equal(ewma.latency(), 10)
  ewma.observe(800)
  assert.equal(ewma.latency(), 800)
  clock.at += 10_000
  assert.equal(ewma.latency(), 400)
  clock.at += 20_000
  assert.equal(ewma.latency(), 100)
})

test('ewma: faster answers pull it down by their share of the half-life', () => {
  const { clock, ewma } = make()
  ewma.observe(800)
  clock.at += 10_000
  ewma.observe(100)
  assert.equal(ewma.latency(), 450)
})

test('ewma: a steady latency stays what it is, however often it is seen', () => {
  const { clock, ewma } = make()
  for (let i = 0; i < 1000; i++) {
    ewma.observe(42)
    clock.at += 7
  }
  assert.ok(Math.abs(ewma.latency() - 42) < 0.1, String(ewma.latency()))
})

test('ewma: load grows with the requests in flight', () => {
  const { ewma } = make()
  ewma.observe(100)
  assert.equal(ewma.load(), 100)
  ewma.start()
  ewma.start()
  assert.equal(ewma.load(), 300)
  ewma.end()
  assert.equal(ewma.load(), 200)
})

test('ewma: one that is unknown is tried first, and not by everyone at once', () => {
  const unknown = make().ewma
  const known = make().ewma
  known.observe(50)
  assert.ok(unknown.load() < known.load())
  unknown.start()
  assert.ok(unknown.load() > known.load())
})
