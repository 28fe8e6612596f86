import { messageOf } from '../core/error-facts.ts'
import { readPem } from '../tls/read-pem.ts'
import type { Problem } from './problems.ts'
import type { Environment } from './substitute.ts'

/** Where spans are sent (OpenTelemetry protocol exporter, "Endpoint URLs for OTLP/HTTP"). */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

/** Files that the exporter silently ignores if they cannot be read. */
const FILES = ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'].flatMap((name) => [
  `OTEL_EXPORTER_OTLP_${name}`,
  `OTEL_EXPORTER_OTLP_TRACES_${name}`,
])

/** Checks the environment variables that take effect without being named in the configuration. */
export function checkEnvironment(environment: Environment): Problem[] {
  const off = environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true'
  if (off || environment['OTEL_TRACES_EXPORTER']?.trim() === 'none') return []
  const isExported = ENDPOINTS.some((name) => (environment[name]?.trim() ?? '') !== '')
  return [...checkEndpoints(environment), ...(isExported ? checkFiles(environment) : [])]
}

function checkEndpoints(environment: Environment): Problem[] {
  return ENDPOINTS.flatMap((name): Problem[] => {
    const value = environment[name]?.trim() ?? ''
    const url = URL.parse(value)
    if (value === '' || url?.protocol === 'http:' || url?.protocol === 'https:') return []
    // The text is not quoted because it may hold a password.
    return [{ path: name, message: 'expected a URL with its scheme, such as "http://collector:4318"' }]
  })
}

function checkFiles(environment: Environment): Problem[] {
  return FILES.flatMap((name): Problem[] => {
    const file = environment[name]?.trim() ?? ''
    if (file === '') return []
    try {
      readPem(file, name.endsWith('KEY'))
      return []
    } catch (error) {
      const reason = messageOf(error)
      return [{ path: name, message: `${JSON.stringify(file)}: ${reason}` }]
    }
  })
}
