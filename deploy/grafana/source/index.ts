import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { cache } from './cache.ts'
import { limits } from './limits.ts'
import { overview } from './overview.ts'
import { routes } from './routes.ts'
import { runtime } from './runtime.ts'
import { service } from './service.ts'

/** Every dashboard, by the name of its file. */
export const dashboards: Readonly<Record<string, Dashboard>> = { overview, service, routes, limits, cache, runtime }
