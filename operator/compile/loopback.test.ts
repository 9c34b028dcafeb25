import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopback } from './loopback.ts'

const here = [
  'http://127.0.0.1/v1',
  'http://127.1.2.3:8000',
  'http://2130706433',
  'http://0x7f.1',
  'http://0177.0.0.1',
  'http://0.0.0.0',
  'http://localhost:4000',
  'http://LOCALHOST.',
  'http://a.localhost',
  'http://[::1]:80',
  'http://[0:0:0:0:0:0:0:1]',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:0.0.0.0]',
]
const elsewhere = [
  'https://api.openai.com/v1',
  'http://128.0.0.1',
  'http://10.127.0.0',
  'http://localhost.example',
  'http://notlocalhost',
  'http://[::2]',
  'http://[::ffff:10.0.0.1]',
  'http://[::ffff:7.240.0.1]',
  'http://[fd00::1]',
  'not a URL',
]
for (const url of here) test(`loopback: ${url} is this machine`, () => assert.equal(isLoopback(url), true))
for (const url of elsewhere) test(`loopback: ${url} is not`, () => assert.equal(isLoopback(url), false))
