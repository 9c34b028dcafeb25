import express, { type Express } from 'express'
import type { Registry } from 'prom-client'
import { quiet } from './listen.ts'

/** `/healthz`, `/readyz` and `/metrics`. */
export function health(registry: Registry, ready: () => boolean): Express {
  const app = quiet(express())
  app.get('/healthz', (_, response) => {
    response.type('text').send('ok\n')
  })
  app.get('/readyz', (_, response) => {
    if (ready()) response.type('text').send('ok\n')
    else response.status(503).type('text').send('The operator has not seen the whole cluster yet, or is stopping.\n')
  })
  app.get('/metrics', async (_, response) => {
    response.type(registry.contentType).send(await registry.metrics())
  })
  return app
}
