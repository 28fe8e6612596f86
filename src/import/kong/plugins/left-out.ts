/** A plugin that is not translated. */
export interface LeftOut {
  /** What to do instead. */
  readonly advice: string
  /** Whether it controls access or answers requests itself: without it, a route would be more open than before, or lead elsewhere. */
  readonly guards: boolean
}

const logs = 'The access log has a line of JSON for each request: let a log collector ship it. See docs/logging.md.'
const metrics = 'Prometheus metrics are built in, at GET /metrics: see docs/metrics.md.'
const ai = 'AI models are not supported: write a custom policy, see docs/writing-policies.md.'
const code = 'The Lua code is not run: write a custom policy, see docs/writing-policies.md.'
const browsers = 'For browser logins use auth.methods.oidc: see docs/authentication.md.'

const guard = (advice: string): LeftOut => ({ advice, guards: true })
const other = (advice: string): LeftOut => ({ advice, guards: false })

/** Known plugins that are not translated, by their names in Kong. */
export const leftOut: Readonly<Record<string, LeftOut>> = {
  acme: other('Use tls.acme of a listener: see docs/tls.md.'),
  'ai-azure-content-safety': guard(ai),
  'ai-aws-guardrails': guard(ai),
  'ai-prompt-compressor': other(ai),
  'ai-prompt-decorator': other(ai),
  'ai-prompt-guard': guard(ai),
  'ai-prompt-template': other(ai),
  'ai-proxy': guard(ai),
  'ai-proxy-advanced': guard(ai),
  'ai-rag-injector': other(ai),
  'ai-rate-limiting-advanced': other(ai),
  'ai-request-transformer': other(ai),
  'ai-response-transformer': other(ai),
  'ai-sanitizer': guard(ai),
  'ai-semantic-cache': other(ai),
  'ai-semantic-prompt-guard': guard(ai),
  'app-dynamics': other(metrics),
  'application-registration': guard(
    'Applications cannot register themselves: create API keys with sallyport keys create.',
  ),
  'aws-lambda': guard('Functions are not called: give the function a URL, and make that a service.'),
  'azure-functions': guard('Functions are not called: give the function a URL, and make that a service.'),
  canary: other('Use split of a route: see docs/routing.md.'),
  confluent: guard('Message brokers are not supported: put a service in front of them.'),
  'confluent-consume': guard('Message brokers are not supported: put a service in front of them.'),
  datadog: other(metrics),
  datakit: guard(code),
  degraphql: guard('GraphQL is not supported: put a service in front of it.'),
  'exit-transformer': other('Error replies are problem documents: see docs/troubleshooting.md.'),
  'forward-proxy': guard('Forward proxies are not supported.'),
  'graphql-proxy-cache-advanced': other('GraphQL is not supported.'),
  'graphql-rate-limiting-advanced': other(
    'GraphQL is not supported: the cost of rate-limit is the same for all requests of a route.',
  ),
  'grpc-gateway': guard('Use the policy grpc-json, which needs the .proto file: see docs/policies.md.'),
  'header-cert-auth': guard('The listener verifies certificates itself: see mtls in docs/authentication.md.'),
  'hmac-auth': guard(
    'HMAC signatures in the format of Kong are not supported. For HTTP Message Signatures see signature in docs/authentication.md.',
  ),
  'http-log': other(logs),
  'injection-protection': guard('Validate bodies with the policy validation: see docs/validation.md.'),
  jq: other('Change JSON with the policy transform: see docs/transform.md.'),
  'json-threat-protection': guard(
    'Limit the size of bodies and validate them with the policy validation: see docs/validation.md.',
  ),
  'jwe-decrypt': guard(
    'Encrypted tokens are not supported. A service can check them: see forward in docs/authentication.md.',
  ),
  'jwt-signer': guard('Tokens are verified by auth.methods.jwt, but not signed again: see docs/authentication.md.'),
  'kafka-consume': guard('Message brokers are not supported: put a service in front of them.'),
  'kafka-log': other(logs),
  'kafka-upstream': guard('Message brokers are not supported: put a service in front of them.'),
  'konnect-application-auth': guard(
    'Applications cannot register themselves: create API keys with sallyport keys create.',
  ),
  'ldap-auth': guard('LDAP is not supported. A service can ask the directory: see forward in docs/authentication.md.'),
  'ldap-auth-advanced': guard(
    'LDAP is not supported. A service can ask the directory: see forward in docs/authentication.md.',
  ),
  loggly: other(logs),
  mocking: guard('Use reply of a route: see docs/routing.md.'),
  'mtls-auth': guard('Use tls.clientCertificates of a listener and auth.methods.mtls: see docs/authentication.md.'),
  'oas-validation': guard('Use the policy validation, with the OpenAPI document: see docs/validation.md.'),
  oauth2: guard('The gateway does not issue tokens: use an OpenID provider, and auth.methods.jwt.'),
  'oauth2-introspection': guard('Use auth.methods.introspection: see docs/authentication.md.'),
  opa: guard('Let a service decide, with auth.methods.forward: see docs/authentication.md.'),
  'post-function': other(code),
  'pre-function': guard(code),
  'request-callout': guard('Let a service decide, with auth.methods.forward: see docs/authentication.md.'),
  'request-validator': guard('Use the policy validation, with JSON Schemas: see docs/validation.md.'),
  'response-ratelimiting': other('Rate limits count requests: see cost in docs/rate-limits.md.'),
  'route-by-header': guard('Use match.headers of routes: see docs/routing.md.'),
  'route-transformer-advanced': guard('Use rewrite of a route: see docs/routing.md.'),
  saml: guard(browsers),
  'service-protection': other('Use concurrency of the service: see docs/resilience.md.'),
  session: other(browsers),
  solace: guard('Message brokers are not supported: put a service in front of them.'),
  'standard-webhooks': guard('Webhook signatures are not verified: the service has to.'),
  statsd: other(metrics),
  'statsd-advanced': other(metrics),
  syslog: other(logs),
  'tcp-log': other(logs),
  'tls-handshake-modifier': other('Use tls.clientCertificates of a listener: see docs/tls.md.'),
  'tls-metadata-headers': other('Use tls.clientCertificates.forward of a listener: see docs/tls.md.'),
  'udp-log': other(logs),
  'upstream-oauth': other('The gateway does not fetch tokens for services: set Authorization with request-headers.'),
  'vault-auth': guard(
    'Credentials in a vault are not supported. A service can check them: see forward in docs/authentication.md.',
  ),
  'websocket-size-limit': other('WebSocket frames are not inspected.'),
  'websocket-validator': guard('WebSocket frames are not inspected.'),
  'xml-threat-protection': guard('Limit the size of bodies with the policy validation: see docs/validation.md.'),
  zipkin: other('Traces are exported with OTLP: see docs/tracing.md.'),
}
