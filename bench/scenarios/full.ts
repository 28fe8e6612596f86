import { secured } from './secured.ts'
import { smallBytes, type Scenario } from './scenario.ts'

/**
 * Everything that gateways are typically used for, combined: the work of Kong's jwt, rate-limiting, correlation-id, cors and prometheus
 * plugins, security headers, trace context, and an access log line in a file for each request.
 */
export const full: Scenario = {
  ...secured,
  name: 'full',
  title:
    `GET, ${smallBytes} bytes, with jwt, rate-limit in memory, correlation-id, cors, security headers, metrics, ` +
    'trace context and an access log in a file; nginx as a plain proxy',
  goals: [{ figure: 'cpu', ratio: 1.5 }],
  accessLog: true,
  sallyport: { policies: { ...secured.sallyport.policies, cors: {}, 'security-headers': {} } },
}
