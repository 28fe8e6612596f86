import type { JsonDocument } from '../../core/document.ts'
import type { HealthState } from './board.ts'

/** The states of a service's instances. */
export interface ServiceStates {
  readonly service: string
  readonly instances: readonly {
    readonly state: HealthState
    readonly drained: boolean
    /** Whether the instance is ejected because it failed. Default false. */
    readonly ejected?: boolean
    /** Its share of the requests; 0 for none. Default 1. */
    readonly weight?: number
  }[]
}

/**
 * 'healthy' if every instance is usable; 'unhealthy' if no request may go to any of them. Drained instances and those of weight 0 get no
 * requests; ejected ones are used if there are no others.
 */
export type ServiceStatus = 'healthy' | 'degraded' | 'unhealthy'

/** The reply of GET /health. */
export interface HealthDocument {
  /** 'degraded' if any service or store is not healthy, or if the configuration is outdated. */
  readonly status: 'healthy' | 'degraded'
  /** ISO 8601 in UTC, to the second. */
  readonly timestamp: string
  /** Version of the gateway. */
  readonly version: string
  readonly services: Readonly<Record<string, ServiceStatus>>
  /** Stores of shared state other than memory; omitted if there are none. */
  readonly stores?: StoreStatuses
  /** Present if the configuration file was rejected at the start and the last known good configuration is running. */
  readonly configuration?: 'outdated'
}

/** Stores by name: 'degraded' while a store cannot be used, or not for everything stored there. */
export type StoreStatuses = Readonly<Record<string, 'healthy' | 'degraded'>>

const usableStates: ReadonlySet<HealthState> = new Set(['unknown', 'healthy'])

const serviceStatuses = ['healthy', 'degraded', 'unhealthy'] as const satisfies readonly ServiceStatus[]

/** The Path Item Object of GET /health. */
export const healthDocs: JsonDocument = {
  get: {
    tags: ['gateway'],
    summary: 'Whether the gateway and the services behind it work',
    operationId: 'sallyport-health',
    responses: {
      200: {
        description:
          'The state of every service and store; degraded when one of them is not healthy, or the configuration is outdated.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                status: { type: 'string', enum: ['healthy', 'degraded', 'draining'] },
                timestamp: { type: 'string', format: 'date-time' },
                version: { type: 'string', description: 'Version of the gateway.' },
                services: { type: 'object', additionalProperties: { type: 'string', enum: serviceStatuses } },
                stores: { type: 'object', additionalProperties: { type: 'string', enum: ['healthy', 'degraded'] } },
                configuration: {
                  type: 'string',
                  enum: ['outdated'],
                  description:
                    'Set if the file was refused at the start: the gateway runs the last good configuration.',
                },
              },
              required: ['status', 'timestamp', 'version', 'services'],
            },
            example: {
              status: 'healthy',
              timestamp: '2024-01-15T10:30:00Z',
              version: '1.0.0',
              services: { 'user-service': 'healthy' },
            },
          },
        },
      },
      503: { description: 'The gateway is stopping: the status is draining.' },
    },
    security: [],
  },
}

/**
 * Builds the document from those states, with null for no stores; `wall` in milliseconds since 1970-01-01T00:00:00Z. `outdated` if the
 * configuration file was rejected at the start.
 */
export function healthDocument(
  reports: readonly ServiceStates[],
  stores: StoreStatuses | null,
  version: string,
  wall: number,
  outdated = false,
): HealthDocument {
  const services = Object.fromEntries(reports.map((report) => [report.service, serviceStatus(report)]))
  const states = [...Object.values(services), ...Object.values(stores ?? {})]
  const healthy = !outdated && states.every((status) => status === 'healthy')
  return {
    status: healthy ? 'healthy' : 'degraded',
    timestamp: new Date(wall).toISOString().replace(/\.\d+Z$/, 'Z'),
    version,
    services,
    ...(stores !== null && { stores }),
    ...(outdated && { configuration: 'outdated' }),
  }
}

/** The status of one service. */
export function serviceStatus({ instances }: ServiceStates): ServiceStatus {
  const fit = instances.filter(({ state, drained }) => usableStates.has(state) && !drained)
  if (!fit.some(({ weight = 1 }) => weight > 0)) return 'unhealthy'
  const all = fit.length === instances.length && !fit.some(({ ejected = false }) => ejected)
  return all ? 'healthy' : 'degraded'
}
