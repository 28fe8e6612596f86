import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { startService } from './support/service.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname
/** The hash of "correct horse". */
const DIGEST = '$scrypt$ln=14,r=8,p=1$sdBsDB4Pxof5OiTMEZ+5gw$3WECDVW+JTZIGwS9Vzwtpf6uDgDgwSDAcP2t+pAA5x8'

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

async function setUp(
  t: TestContext,
  options: NonNullable<GatewayInput['policies']>['auth'] & object = { methods: {} },
) {
  const service = await startService(t)
  const users = [{ name: 'alice', password: DIGEST, roles: ['admin'], tier: 'gold' }]
  const auth = { ...options, methods: { basic: { users } } }
  const { port, log } = await startGateway(t, proxyTo(service.url, { policies: { auth } }))
  const ask = (authorization?: string, more: Record<string, string> = {}, method = 'GET') =>
    send(port, { method, headers: { ...(authorization !== undefined && { Authorization: authorization }), ...more } })
  return { service, log, port, ask }
}

test('a user with the right password gets in, and the service gets the name but not the password', async (t) => {
  const { service, ask, log } = await setUp(t)
  for (let round = 0; round < 2; round++) {
    assert.equal((await ask(basic('alice', 'correct horse'))).status, 200)
    const { headers } = service.received.at(-1)!
    assert.deepEqual(
      [headers['x-user-id'], headers['x-user-roles'], headers['x-consumer-tier'], headers['authorization']],
      ['alice', 'admin', 'gold', undefined],
    )
  }
  assert.ok(!JSON.stringify(log.lines).includes('correct horse'))
})

test('a rejected request gets a Basic challenge and the reason', async (t) => {
  const { service, ask, port } = await setUp(t)
  for (const [authorization, detail] of [
    [undefined, 'Missing user name and password'],
    [basic('alice', 'wrong'), 'The user name or the password is not valid'],
    [basic('mallory', 'correct horse'), 'The user name or the password is not valid'],
    ['Basic nonsense', 'The user name and the password are malformed'],
  ] as const) {
    const reply = await ask(authorization)
    assert.equal(reply.status, 401)
    assert.equal(reply.headers['www-authenticate'], 'Basic realm="sallyport", charset="UTF-8"')
    assert.equal((JSON.parse(reply.text) as { detail: string }).detail, detail)
  }
  assert.equal(service.received.length, 0)
  assert.equal((await scrape(port)).sum('sallyport_auth_outcomes_total', { method: 'basic', outcome: 'invalid' }), 3)
})

test('failed logins are limited per address, and known credentials still work', async (t) => {
  const { ask } = await setUp(t, { methods: {}, failures: '2/h' })
  const right = basic('alice', 'correct horse')
  assert.equal((await ask(right)).status, 200)
  assert.equal((await ask(basic('alice', 'a'))).status, 401)
  assert.equal((await ask(basic('alice', 'b'))).status, 401)
  assert.equal((await ask(basic('alice', 'c'))).status, 429)
  assert.equal((await ask(right)).status, 200)
})

test('credentials sent by a browser for pages of other sites only allow reading', async (t) => {
  const { ask } = await setUp(t)
  const right = basic('alice', 'correct horse')
  const foreign = { 'Sec-Fetch-Site': 'cross-site' }
  assert.equal((await ask(right, foreign)).status, 200)
  assert.equal((await ask(right, foreign, 'POST')).status, 401)
  assert.equal((await ask(right, { 'Sec-Fetch-Site': 'same-origin' }, 'POST')).status, 200)
})

test('the password command prints a digest of the password it reads, which works as a credential', async (t) => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'password'], {
    input: 'batter y staple\n',
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  const service = await startService(t)
  const users = [{ name: 'bob', password: stdout.trim() }]
  const { port } = await startGateway(
    t,
    proxyTo(service.url, { policies: { auth: { methods: { basic: { users } } } } }),
  )
  assert.equal((await send(port, { headers: { Authorization: basic('bob', 'batter y staple') } })).status, 200)
  for (const [input, message] of [
    ['', 'The password is empty.'],
    ['\n', 'The password is empty.'],
    ['a\u0007b', 'The password contains a line break or another control character.'],
    ['a'.repeat(1025), 'The password has 1025 characters; the console accepts at most 1024.'],
  ] as const) {
    const bad = spawnSync(process.execPath, [main, 'password'], { input, encoding: 'utf8' })
    assert.deepEqual([bad.status, bad.stdout, bad.stderr], [1, '', `${message}\n`])
  }
})
