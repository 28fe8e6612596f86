/** Keys of other gateways and proxies, simplified, with the equivalent keys here, by the place where they are written. */
const FOREIGN_KEYS: Readonly<Record<string, readonly string[]>> = {
  backend: ['service'],
  backends: ['services', 'instances'],
  allowedheaders: ['headers'],
  allowedmethods: ['methods'],
  allowedorigins: ['origins'],
  alloworigins: ['origins'],
  clientmaxbodysize: ['body'],
  clusters: ['services'],
  endpoints: ['instances'],
  exclude: ['public'],
  excludepaths: ['public'],
  healthcheck: ['health'],
  healthchecks: ['health'],
  hsts: ['strictTransportSecurity'],
  limit: ['tiers'],
  listen: ['listeners', 'address'],
  location: ['path', 'match'],
  logging: ['log'],
  maxsize: ['limit'],
  middleware: ['policies'],
  middlewares: ['policies'],
  plugins: ['policies'],
  policy: ['policies'],
  port: ['address', 'listeners', 'url'],
  prefix: ['path'],
  proxypass: ['service'],
  retries: ['retry'],
  server: ['listeners', 'instances', 'url'],
  servers: ['instances', 'listeners', 'services'],
  strippath: ['rewrite'],
  stripprefix: ['rewrite'],
  target: ['service', 'url'],
  targets: ['instances'],
  upstream: ['service', 'services'],
  upstreams: ['services', 'instances'],
  uri: ['path', 'url'],
  url: ['instances', 'service', 'to'],
  urls: ['instances'],
  window: ['tiers'],
}

/** The known key that does here what the given key does elsewhere. */
export function equivalentKeys(key: string, known: readonly string[]): string | undefined {
  const simple = key.toLowerCase().replaceAll(/[-_.]/g, '')
  const meant = (Object.hasOwn(FOREIGN_KEYS, simple) ? FOREIGN_KEYS[simple] : null) ?? []
  return meant.find((name) => known.includes(name))
}
