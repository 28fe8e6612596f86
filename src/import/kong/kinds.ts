/** The properties of a kind of entity in a declarative file. */
export interface KindFacts {
  /** The name in reports. */
  readonly called: string
  /** Fields that identify an entity; the first one that is present counts. */
  readonly named: readonly string[]
  /** Lists of nested entities, and their kinds. */
  readonly nested: Readonly<Record<string, string>>
  /** Fields that refer to another entity, and its kind. */
  readonly foreign: Readonly<Record<string, string>>
}

const ofConsumer = { consumer: 'consumers' }

function credential(called: string, named: readonly string[]): KindFacts {
  return { called, named, nested: {}, foreign: ofConsumer }
}

/** Every kind of entity by the list that contains it. Other lists belong to plugins and are unknown here. */
export const kinds: Readonly<Record<string, KindFacts>> = {
  services: {
    called: 'service',
    named: ['name', 'id', 'host', 'url'],
    nested: { routes: 'routes', plugins: 'plugins', filter_chains: 'filter_chains' },
    foreign: { client_certificate: 'certificates' },
  },
  routes: {
    called: 'route',
    named: ['name', 'id'],
    nested: { plugins: 'plugins', filter_chains: 'filter_chains' },
    foreign: { service: 'services' },
  },
  upstreams: { called: 'upstream', named: ['name', 'id'], nested: { targets: 'targets' }, foreign: {} },
  targets: { called: 'target', named: ['target', 'id'], nested: {}, foreign: { upstream: 'upstreams' } },
  consumers: {
    called: 'consumer',
    named: ['username', 'custom_id', 'id'],
    nested: {
      plugins: 'plugins',
      keyauth_credentials: 'keyauth_credentials',
      keyauth_enc_credentials: 'keyauth_enc_credentials',
      basicauth_credentials: 'basicauth_credentials',
      jwt_secrets: 'jwt_secrets',
      hmacauth_credentials: 'hmacauth_credentials',
      oauth2_credentials: 'oauth2_credentials',
      mtls_auth_credentials: 'mtls_auth_credentials',
      acls: 'acls',
      groups: 'consumer_group_consumers',
    },
    foreign: {},
  },
  keyauth_credentials: credential('API key', []),
  keyauth_enc_credentials: credential('API key', []),
  basicauth_credentials: credential('password', ['username']),
  jwt_secrets: credential('JWT credential', ['key']),
  hmacauth_credentials: credential('HMAC credential', ['username']),
  oauth2_credentials: { ...credential('OAuth 2 client', ['name']), nested: { oauth2_tokens: 'oauth2_tokens' } },
  oauth2_tokens: credential('OAuth 2 token', []),
  mtls_auth_credentials: credential('client certificate', ['subject_name']),
  acls: credential('group', ['group']),
  consumer_groups: {
    called: 'consumer group',
    named: ['name', 'id'],
    nested: { plugins: 'plugins', consumers: 'consumer_group_consumers' },
    foreign: {},
  },
  consumer_group_consumers: {
    called: 'member of a group',
    named: ['name', 'username', 'id'],
    nested: {},
    foreign: { consumer: 'consumers', consumer_group: 'consumer_groups' },
  },
  consumer_group_plugins: {
    called: 'plugin',
    named: ['name'],
    nested: {},
    foreign: { consumer_group: 'consumer_groups' },
  },
  plugins: {
    called: 'plugin',
    named: ['name'],
    nested: {},
    foreign: { service: 'services', route: 'routes', consumer: 'consumers', consumer_group: 'consumer_groups' },
  },
  filter_chains: {
    called: 'filter chain',
    named: ['name', 'id'],
    nested: {},
    foreign: { service: 'services', route: 'routes' },
  },
  certificates: { called: 'certificate', named: ['id'], nested: { snis: 'snis' }, foreign: {} },
  snis: { called: 'SNI', named: ['name', 'id'], nested: {}, foreign: { certificate: 'certificates' } },
  ca_certificates: { called: 'CA certificate', named: ['id'], nested: {}, foreign: {} },
  key_sets: { called: 'key set', named: ['name', 'id'], nested: { keys: 'keys' }, foreign: {} },
  keys: { called: 'key', named: ['name', 'kid', 'id'], nested: {}, foreign: { set: 'key_sets' } },
  vaults: { called: 'vault', named: ['prefix', 'name', 'id'], nested: {}, foreign: {} },
  partials: { called: 'partial', named: ['name', 'id'], nested: {}, foreign: {} },
}

/** The properties of entities in an unknown list. */
export function unknownKind(list: string): KindFacts {
  return { called: list, named: ['name', 'id'], nested: {}, foreign: {} }
}
