import assert from 'node:assert/strict'
import test from 'node:test'
import { policies } from '../../policies/index.ts'
import { parseConfig } from '../parse.ts'
import { formatPath } from '../problems.ts'
import type { GatewayInput } from '../gateway-input.ts'
import { hintsOf } from './index.ts'

const SOUND = 'q4uyyDzpm8Sg9yTF6h0hJ0OPmJq7gJcQv3Pp0b7B2nE='

/** A configuration that nobody has anything to say about, with that on top. */
function hints(changes: GatewayInput): string[] {
  const config = parseConfig({
    services: { users: { instances: ['http://127.0.0.1:1'] } },
    routes: [{ id: 'users', match: { path: '/users/*' }, service: 'users' }],
    ...changes,
  })
  return hintsOf(config, policies).map(({ path, message }) => `${formatPath(path)}: ${message}`)
}

const users = { instances: ['http://127.0.0.1:1'] }
const route = { id: 'users', match: { path: '/users/*' }, service: 'users' }

const cases: Readonly<Record<string, readonly [GatewayInput, RegExp | null]>> = {
  'a valid configuration': [{}, null],
  'no routes': [{ services: {}, routes: [] }, /^routes: none: every request gets 404\. Add one/],
  'an unused service': [{ services: { users, orders: users } }, /^services\.orders: is not used.*Add a route/],
  'a service of a split': [
    {
      services: { users, orders: users },
      routes: [{ id: 'a', match: { path: '/*' }, split: { services: { users: 1, orders: 1 } } }],
    },
    null,
  ],
  'a service used by a policy': [
    {
      services: { users, keys: users },
      policies: { auth: { methods: { introspection: { service: 'keys', path: '/introspect' } } } },
    },
    null,
  ],
  'a prefix that no path starts with': [
    { routes: [{ ...route, rewrite: { strip: '/api' } }] },
    /^routes\[0\]\.rewrite\.strip: never applies: no path that matches "\/users\/\*" starts with it/,
  ],
  'a prefix that is longer than the path': [
    { routes: [{ ...route, match: { path: '/users' }, rewrite: { prefix: '/users/all', with: '/all' } }] },
    /^routes\[0\]\.rewrite\.prefix: never applies/,
  ],
  'a prefix that one of the paths starts with': [
    { routes: [{ ...route, match: { path: ['/users/*', '/api/users/*'] }, rewrite: { strip: '/api' } }] },
    null,
  ],
  "a prefix within the path's wildcard": [{ routes: [{ ...route, rewrite: { strip: '/users/v1' } }] }, null],
  'a prefix that a parameter may match': [
    { routes: [{ ...route, match: { path: '/{what}/users' }, rewrite: { strip: '/api' } }] },
    null,
  ],
  'a redirect with a group of a regular expression': [
    { routes: [route, { id: 'old', match: { path: '/old/*' }, redirect: { to: '/new/$1' } }] },
    /^routes\[1\]\.redirect\.to: "\$1" stands for itself here\. Write \{NAME\}/,
  ],
  'a rewrite with a parameter in the syntax of other routers': [
    { routes: [{ ...route, rewrite: { path: '/v1/:id' } }] },
    /^routes\[0\]\.rewrite\.path: ":id" stands for itself here/,
  ],
  'a rewrite with a dollar sign and a colon': [
    { routes: [{ ...route, rewrite: { path: '/$metadata/v1:batch' } }] },
    null,
  ],
  'a rewrite without effect': [
    { routes: [{ ...route, rewrite: { prefix: '/users', with: '/users/' } }] },
    /^routes\[0\]\.rewrite\.prefix: changes nothing/,
  ],
  'a disabled policy that was never enabled': [
    { routes: [{ ...route, policies: { cors: false } }] },
    /^routes\[0\]\.policies\.cors: turns off a policy that is not on/,
  ],
  'a disabled policy': [
    { policies: { cors: { origins: ['*'] } }, routes: [{ ...route, policies: { cors: false } }] },
    null,
  ],
  'a reply timeout above the total': [
    { services: { users: { ...users, timeouts: { total: '5s', response: '10s' } } } },
    /^services\.users\.timeouts\.response: 10s are never reached, because timeouts\.total ends the request after 5s/,
  ],
  'a total only': [{ services: { users: { ...users, timeouts: { total: '1500ms' } } } }, null],
  'checks that overlap': [
    { services: { users: { ...users, health: { timeout: '20s', interval: '10s' } } } },
    /^services\.users\.health\.timeout: a check may take 20s, but the next one begins after 10s/,
  ],
  'an idle timeout above the connection lifetime': [
    { services: { users: { ...users, pool: { idleTimeout: '10m' } } } },
    /^services\.users\.pool\.idleTimeout: .*pool\.lifetime ends it after 300s/,
  ],
  'a drain timeout below the reply timeout': [
    { services: { users: { ...users, timeouts: { response: '60s' } } } },
    /^services\.users\.timeouts\.response: .*drainTimeout cuts it off after 30s/,
  ],
  'a secret that is a known word': [
    { secrets: 'this-is-my-secret-of-32-characters' },
    /^secrets: is easy to guess.*openssl rand -base64 32/,
  ],
  'a secret of one character': [{ secrets: [SOUND, 'x'.repeat(32)] }, /^secrets\[1\]: is easy to guess/],
  'a random secret': [{ secrets: SOUND, admin: { token: 'b8f2a06bd91c4e77' } }, null],
  'a token that is a known word': [{ admin: { token: 'changeme-changeme' } }, /^admin\.token: is easy to guess/],
  'a token secret that is a known word': [
    { policies: { auth: { methods: { jwt: { secret: 'password'.repeat(4), algorithms: ['HS256'] } } } } },
    /^policies\.auth\.methods\.jwt\.secret: is easy to guess/,
  ],
  'an admin listener that accepts code from the network': [
    { admin: { address: '0.0.0.0:9000', token: SOUND, writable: true } },
    /^admin\.writable: other machines can reach the admin listener/,
  ],
  'an admin listener that accepts code from this machine': [{ admin: { token: SOUND, writable: true } }, null],
  'headers of untrusted proxies': [
    { proxyFields: ['X-Auth-Request-*'] },
    /^proxyFields: has no effect: no proxy is trusted/,
  ],
  'headers of trusted proxies': [{ proxyFields: ['X-Auth-Request-*'], trustedProxies: ['10.0.0.0/8'] }, null],
  'a zone that no instance has': [{ zone: 'a' }, /^zone: has no effect: no instance has a zone/],
}

for (const [what, [changes, expected]] of Object.entries(cases))
  test(`${what}: ${expected === null ? 'no hint' : 'hint with advice'}`, () => {
    const found = hints(changes)
    assert.equal(found.length, expected === null ? 0 : 1, found.join('\n'))
    if (expected !== null) assert.match(found[0]!, expected)
  })

test('a secret used by many routes has one hint, which does not show it', () => {
  const found = hints({
    policies: { auth: { methods: { jwt: { secret: 'password'.repeat(4), algorithms: ['HS256'] } } } },
    routes: Array.from({ length: 3 }, (_, i) => ({
      ...route,
      id: `r${i}`,
      match: { path: `/users/${i}` },
      policies: { auth: { realm: `r${i}` } },
    })),
  })
  assert.equal(found.length, 1)
  assert.doesNotMatch(found[0]!, /passwordpassword/)
})
