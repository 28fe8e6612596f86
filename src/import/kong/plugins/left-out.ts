/** A plugin that is not brought over. */
export interface LeftOut {
  /** What to do in place of it. */
  readonly advice: string
  /** Whether it decides who gets in, or answers itself: without it a route would be more open than it was, or lead elsewhere. */
  readonly guards: boolean
}

const logs = 'The access log has each request as a line of JSON: have a collector send it there. See docs/logging.md.'
const metrics = 'Metrics are there for Prometheus, at GET /metrics: see docs/metrics.md.'
const ai = 'Nothing of the gateway knows models: write a policy of your own, see docs/writing-policies.md.'
const code = 'Code of a plugin is not run: write a policy of your own, see docs/writing-policies.md.'
const browsers =
  'Nobody is signed in by a browser here: a service that auth.methods.forward asks can do that. See docs/authentication.md.'

const guard = (advice: string): LeftOut => ({ advice, guards: true })
const other = (advice: string): LeftOut => ({ advice, guards: false })

/** The plugins that are known and not brought over, by their names in Kong. */
export const leftOut: Readonly<Record<string, LeftOut>> = {
  acme: other('Certificates come from a CA by tls.acme of a listener: see docs/tls.md.'),
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
    'Applications are not registered here: give them API keys with sallyport keys create.',
  ),
  'aws-lambda': guard('Functions are not called: put them behind a URL, and make that a service.'),
  'azure-functions': guard('Functions are not called: put them behind a URL, and make that a service.'),
  canary: other('Requests are divided by split of a route: see docs/routing.md.'),
  confluent: guard('Messages are not sent to brokers: put a service before them.'),
  'confluent-consume': guard('Messages are not read from brokers: put a service before them.'),
  datadog: other(metrics),
  datakit: guard(code),
  degraphql: guard('Nothing of the gateway knows GraphQL: put a service before it.'),
  'exit-transformer': other('Error replies are problem documents: see docs/troubleshooting.md.'),
  'forward-proxy': guard('Services are asked without a proxy in between.'),
  'graphql-proxy-cache-advanced': other('Nothing of the gateway knows GraphQL.'),
  'graphql-rate-limiting-advanced': other(
    'Nothing of the gateway knows GraphQL; cost of rate-limit is the same for all requests of a route.',
  ),
  'grpc-gateway': guard(
    'JSON becomes gRPC by the policy grpc-json, which needs the .proto file: see docs/policies.md.',
  ),
  'header-cert-auth': guard('Certificates are verified by the listener itself: see mtls in docs/authentication.md.'),
  'hmac-auth': guard('Signatures by a shared secret are not verified; a service can, by auth.methods.forward.'),
  'http-log': other(logs),
  'injection-protection': guard('Bodies are held to schemas by the policy validation: see docs/validation.md.'),
  jq: other('JSON is changed by the policy transform: see docs/transform.md.'),
  'json-threat-protection': guard(
    'Bodies are held to sizes and schemas by the policy validation: see docs/validation.md.',
  ),
  'jwe-decrypt': guard('Encrypted tokens are not read; a service can decide, by auth.methods.forward.'),
  'jwt-signer': guard(
    'Tokens are verified by auth.methods.jwt, and no new ones are signed: see docs/authentication.md.',
  ),
  'kafka-consume': guard('Messages are not read from brokers: put a service before them.'),
  'kafka-log': other(logs),
  'kafka-upstream': guard('Messages are not sent to brokers: put a service before them.'),
  'konnect-application-auth': guard(
    'Applications are not registered here: give them API keys with sallyport keys create.',
  ),
  'ldap-auth': guard('Directories are not asked; a service can, by auth.methods.forward.'),
  'ldap-auth-advanced': guard('Directories are not asked; a service can, by auth.methods.forward.'),
  loggly: other(logs),
  mocking: guard('Replies are made by reply of a route: see docs/routing.md.'),
  'mtls-auth': guard(
    'Certificates of clients are taken by a listener with tls.clientCertificates, and auth.methods.mtls: see docs/authentication.md.',
  ),
  'oas-validation': guard(
    'Requests are held to an OpenAPI document by the policy validation, which names its file: see docs/validation.md.',
  ),
  oauth2: guard('The gateway gives no tokens out: take those of an OpenID provider, by auth.methods.jwt.'),
  'oauth2-introspection': guard('Tokens are asked about by auth.methods.introspection: see docs/authentication.md.'),
  opa: guard('A service decides by auth.methods.forward: see docs/authentication.md.'),
  'post-function': other(code),
  'pre-function': guard(code),
  'request-callout': guard('A service decides by auth.methods.forward: see docs/authentication.md.'),
  'request-validator': guard('Requests are held to JSON Schemas by the policy validation: see docs/validation.md.'),
  'response-ratelimiting': other('Limits count requests: see cost in docs/rate-limits.md.'),
  'route-by-header': guard('Routes tell requests apart by match.headers: see docs/routing.md.'),
  'route-transformer-advanced': guard('Path and host are changed by rewrite of a route: see docs/routing.md.'),
  saml: guard(browsers),
  'service-protection': other('A service is held to what it can do by concurrency: see docs/resilience.md.'),
  session: other(browsers),
  solace: guard('Messages are not sent to brokers: put a service before them.'),
  'standard-webhooks': guard('Signatures of webhooks are not verified; the service has to.'),
  statsd: other(metrics),
  'statsd-advanced': other(metrics),
  syslog: other(logs),
  'tcp-log': other(logs),
  'tls-handshake-modifier': other('A listener asks for certificates by tls.clientCertificates: see docs/tls.md.'),
  'tls-metadata-headers': other(
    'Services are told of certificates by tls.clientCertificates.forward of a listener: see docs/tls.md.',
  ),
  'udp-log': other(logs),
  'upstream-oauth': other('Services get no tokens of the gateway: set Authorization by request-headers.'),
  'vault-auth': guard('Credentials in a vault are not asked; a service can, by auth.methods.forward.'),
  'websocket-size-limit': other('Frames of WebSockets pass as they are.'),
  'websocket-validator': guard('Frames of WebSockets pass as they are.'),
  'xml-threat-protection': guard('Bodies are held to sizes by the policy validation: see docs/validation.md.'),
  zipkin: other('Traces are exported by OTLP: see docs/tracing.md.'),
}
