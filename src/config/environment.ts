import type { Problem } from './problems.ts'
import type { Environment } from './substitute.ts'

/** Where spans are sent (OpenTelemetry protocol exporter, "Endpoint URLs for OTLP/HTTP"). */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

/** What is wrong in variables that count without being named in the configuration. */
export function checkEnvironment(environment: Environment): Problem[] {
  const off = environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true'
  if (off || environment['OTEL_TRACES_EXPORTER']?.trim() === 'none') return []
  return ENDPOINTS.flatMap((name): Problem[] => {
    const value = environment[name]?.trim() ?? ''
    const url = URL.parse(value)
    if (value === '' || url?.protocol === 'http:' || url?.protocol === 'https:') return []
    // The text is left out as it may hold a password.
    return [{ path: name, message: 'expected a URL with its scheme, such as "http://collector:4318"' }]
  })
}
