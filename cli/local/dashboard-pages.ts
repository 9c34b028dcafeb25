import { routeDetail } from '../../operator/board/board.ts'
import type { Compiled } from '../../operator/compile/index.ts'
import { dashboardAssets } from '../../operator/dashboard.ts'
import type { Fleet } from '../../operator/fleet.ts'
import { OVERVIEW_PATH, overview } from '../../operator/overview.ts'
import type { Totals } from '../../operator/status/mirrors.ts'
import { problem } from '../../sidecar/json-server.ts'
import type { Pages } from '../../sidecar/json-server.ts'

/** The dashboard, and what is told of all and of one route, on the admin port of a local run. */
export function dashboardPages(compiled: () => Compiled | undefined, fleet: () => Fleet, totals: Totals): Pages {
  const files = [...dashboardAssets()].map(([path, { text, headers }]) => [
    `GET ${path}`,
    () => ({ body: text, headers }),
  ])
  return {
    ...(Object.fromEntries(files) as Pages), // of these pairs
    [`GET ${OVERVIEW_PATH}`]: ({ query }) => {
      const now = compiled()
      if (!now) return { body: {} }
      const route = query.get('route')
      if (route === null) return { body: overview(now, fleet(), () => true, totals) }
      const found = routeDetail(now, fleet(), route, totals)
      return found ? { body: found } : problem(404, `There is no route ${route}.`)
    },
  }
}
