import { secured } from './secured.ts'
import { smallBytes, type Scenario } from './scenario.ts'

/**
 * Everything that most gateways are put in place for, at once: the work of Kong's jwt, rate-limiting, correlation-id, cors
 * and prometheus plugins, security headers, trace context, and a line of the access log in a file for each request.
 */
export const full: Scenario = {
  ...secured,
  name: 'full',
  title:
    `GET, ${smallBytes} bytes, with jwt, rate-limit in memory, correlation-id, cors, security headers, metrics, ` +
    'trace context and an access log in a file; nginx without anything',
  goals: [{ figure: 'cpu', ratio: 1.5 }],
  accessLog: true,
  sallyport: { policies: { ...secured.sallyport.policies, cors: {}, 'security-headers': {} } },
}
