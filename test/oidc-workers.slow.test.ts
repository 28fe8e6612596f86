import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { BrowserJar } from './support/browser-jar.ts'
import { start } from './support/command.ts'
import { CLIENT, type OpenIdProvider, startOpenIdProvider } from './support/openid-provider.ts'
import { until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { SECRET } from './support/tokens.ts'

const KILL_WORKER = new URL('support/kill-worker.ts', import.meta.url).href

/** Enough that both workers get some of them, each over its own connection. */
const MANY = 40

test('a session is refreshed once for the requests of all workers, as providers accept a refresh token only once', async (t) => {
  const provider = await startOpenIdProvider(t, systemClock)
  const service = await startService(t)
  const { port } = await start(t, yamlFor(provider, service))
  const browser = new BrowserJar(port)
  // The refresh of the session is due at once, that of the next one is not.
  provider.lifetime = 0
  await browser.logIn(await browser.open('/'))
  provider.lifetime = 300
  const old = browser.cookies.get('sallyport') ?? ''
  const replies = await Promise.all(Array.from({ length: MANY }, () => browser.fetch('/')))
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
  assert.equal(provider.count('/token'), 2)
  assert.notEqual(browser.cookies.get('sallyport'), old)
  browser.cookies.set('sallyport', old)
  const late = await Promise.all(Array.from({ length: MANY }, () => browser.fetch('/')))
  assert.deepEqual(new Set(late.map(({ status }) => status)), new Set([200]))
  assert.equal(provider.count('/token'), 2)
  assert.equal(provider.refreshTokens.size, 1)
})

test('if a worker dies while it refreshes a session, the next request refreshes it at once', async (t) => {
  const provider = await startOpenIdProvider(t, systemClock)
  const service = await startService(t)
  const { port, command } = await start(t, yamlFor(provider, service, 1), { preload: KILL_WORKER })
  const browser = new BrowserJar(port)
  provider.lifetime = 0
  await browser.logIn(await browser.open('/'))
  provider.mischief = { isSilent: true }
  const cutOff = assert.rejects(browser.fetch('/'))
  await until('the refresh', () => provider.count('/token') === 2)
  command.child.kill('SIGUSR2')
  await cutOff
  provider.mischief = {}
  assert.equal((await browser.fetch('/')).status, 200)
  assert.equal(provider.count('/token'), 3)
})

test('an outage of the provider that all workers notice is logged once', async (t) => {
  const provider = await startOpenIdProvider(t, systemClock)
  const service = await startService(t)
  const { port, command } = await start(t, yamlFor(provider, service))
  provider.isBroken = true
  const replies = await Promise.all(Array.from({ length: MANY }, () => new BrowserJar(port).open('/')))
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([503]))
  // Both workers have asked.
  assert.equal(provider.count('/.well-known/openid-configuration'), 2)
  command.child.kill()
  await command.ended
  assert.equal(command.log.filter(({ message }) => /provider cannot be reached/.test(String(message))).length, 1)
})

function yamlFor(provider: OpenIdProvider, service: { readonly url: string }, workers = 2): string {
  return `
workers: ${workers}
listeners: [{ address: 127.0.0.1:0 }]
services: { backend: { instances: ['${service.url}'], health: false } }
policies:
  auth:
    methods:
      oidc:
        issuer: ${provider.url}
        clientId: ${CLIENT.clientId}
        clientSecret: ${CLIENT.clientSecret}
        secret: ${SECRET}
        scopes: [openid, offline_access]
        timeout: 60s
routes: [{ id: all, match: { path: /* }, service: backend }]
`
}
