import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { deriveKeys } from '../../core/secrets.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { HealthBoard } from '../health/board.ts'
import { StickyCookie, type StickyCookieOptions } from './cookie.ts'

const [OLD, NEW] = [deriveKeys(['o'.repeat(32)], 'sticky')[0]!, deriveKeys(['n'.repeat(32)], 'sticky')[0]!]

function setUp(options: StickyCookieOptions = {}, { keys = [NEW], service = 'users', hosts = ['a', 'b'] } = {}) {
  const board = HealthBoard.create(hosts.length)
  const clock = new ManualClock()
  const instances = hosts.map((host, slot) => ({
    address: `${host}.internal:80`,
    host,
    port: 80,
    slot,
    weight: 1,
    inFlight: 0,
  }))
  const sticky = new StickyCookie(service, options, instances, { board, clock, keys })
  const withCookies = (cookie: string) =>
    makeExchange({ headers: Headers.of(cookie === '' ? [] : [['Cookie', cookie]]) })
  /** The headers that a client with those cookies gets in a reply of the instance. */
  const report = (at: number, cookie = '', status = 200): Headers => {
    const reply = new Reply(status, Headers.of(), null)
    sticky.bind(withCookies(cookie), instances[at]!, reply)
    return reply.headers
  }
  return {
    board,
    clock,
    report,
    sticky,
    instances,
    /** The cookie that is set, as it comes back. */
    cookie: (at: number, before = ''): string => report(at, before).get('Set-Cookie')?.split(';')[0] ?? '',
    bound: (cookie: string) => sticky.bound(withCookies(cookie))?.host ?? null,
  }
}

test('a client returns to the instance of its cookie, and the cookie is set once', () => {
  const { cookie, bound, report } = setUp()
  assert.equal(bound(''), null)
  assert.equal(bound(cookie(1)), 'b')
  assert.equal(bound(`x=1; ${cookie(0)}; y=2`), 'a')
  assert.deepEqual(report(1, cookie(1)).entries(), [])
})

test('the cookie does not reveal the instance, and differs for each service', () => {
  const value = setUp().report(0).get('Set-Cookie')!
  assert.match(value, /^sallyport-users=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)
  const other = setUp({}, { service: 'orders' }).report(0).get('Set-Cookie')!
  assert.notEqual(value.split('=')[1], other.split('=')[1], 'each service has its own for the same instance')
})

test('a reply that sets the cookie is private, whatever the service says', () => {
  assert.equal(setUp().report(0).get('Cache-Control'), 'private')
})

test('targeted Cache-Control headers of the service are made private as well', () => {
  const { sticky, instances } = setUp()
  const fields = ['Cache-Control', 'CDN-Cache-Control', 'Acme-CDN-Cache-Control', 'Surrogate-Control']
  const reply = new Reply(200, Headers.of(fields.map((name) => [name, 'max-age=60'])), null)
  sticky.bind(makeExchange(), instances[0]!, reply)
  for (const name of fields) assert.deepEqual(reply.headers.getAll(name), ['max-age=60', 'private'])
})

for (const [said, isSaid] of [
  ['max-age=5, Private', true],
  ['private="Set-Cookie"', false],
  ['no-cache="a, private, b"', false],
] as const)
  test(`a reply with ${said} ${isSaid ? 'is private already' : 'is made private'}`, () => {
    const { sticky, instances } = setUp()
    const reply = new Reply(200, Headers.of([['Cache-Control', said]]), null)
    sticky.bind(makeExchange(), instances[0]!, reply)
    assert.deepEqual(reply.headers.getAll('Cache-Control'), isSaid ? [said] : [said, 'private'])
  })

test('a 304 does not set the cookie', () => {
  assert.deepEqual(setUp().report(0, '', 304).entries(), [])
})

test('over https the cookie is Secure', () => {
  const { sticky, instances } = setUp({ cookie: 'at' })
  const reply = new Reply(200, Headers.of(), null)
  const exchange = makeExchange()
  sticky.bind(makeExchange({ client: { ...exchange.client, scheme: 'https' } }), instances[0]!, reply)
  assert.match(reply.headers.get('Set-Cookie')!, /^at=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
})

test('cookies not made with these secrets are ignored', () => {
  const { bound } = setUp()
  const foreign = setUp({}, { keys: [OLD] }).cookie(0)
  for (const cookie of [foreign, 'sallyport-users=', 'sallyport-users=a.internal:80', 'sallyport-users=__proto__'])
    assert.equal(bound(cookie), null, cookie)
})

test('a cookie made with the previous secret is accepted and kept', () => {
  const before = setUp({}, { keys: [OLD] }).cookie(1)
  const { bound, report } = setUp({}, { keys: [NEW, OLD] })
  assert.equal(bound(before), 'b')
  assert.deepEqual(report(1, before).entries(), [])
})

test('gateways with the same secrets make the same cookies', () => {
  assert.equal(setUp().cookie(0), setUp({}, { hosts: ['c', 'a'] }).cookie(1))
})

test('if the instance is unhealthy or gone, the client is bound to another one', () => {
  const { board, bound, cookie } = setUp()
  const before = cookie(0)
  board.set(0, 'unhealthy')
  assert.equal(bound(before), null)
  assert.notEqual(cookie(1, before), '')
  const without = setUp({}, { hosts: ['b'] })
  assert.equal(without.bound(before), null)
  assert.equal(without.bound(without.cookie(0, before)), 'b')
})

test('a bound client stays while its instance is drained', () => {
  const { board, bound, cookie } = setUp()
  board.drain(0, true)
  assert.equal(bound(cookie(0)), 'a')
})

test('of two cookies with that name the one with a usable instance is used', () => {
  const { board, bound, cookie } = setUp()
  const both = `sallyport-users=x; ${cookie(0)}; ${cookie(1)}`
  assert.equal(bound(both), 'a')
  board.set(0, 'unhealthy')
  assert.equal(bound(both), 'b')
})

test('with a ttl the cookie is renewed in its second half, and ignored after it expires', () => {
  const { clock, bound, cookie, report } = setUp({ ttl: 60_000 })
  assert.match(report(0).get('Set-Cookie')!, /; Max-Age=60$/)
  const first = cookie(0)
  clock.advance(30_000)
  assert.deepEqual(report(0, first).entries(), [])
  clock.advance(1_000)
  const second = cookie(0, first)
  assert.notEqual(second, '')
  clock.advance(29_000)
  assert.equal(bound(first), 'a')
  clock.advance(1_000)
  assert.equal(bound(first), null)
  assert.equal(bound(second), 'a')
})

test('a cookie without a time, or with one in the future, is renewed', () => {
  const { clock, bound, cookie } = setUp({ ttl: 60_000 })
  const dated = cookie(0)
  for (const before of [setUp().cookie(0), dated.replace(/\..*/, '.zzzzzzzz'), dated.replace(/\..*/, '.!')]) {
    assert.equal(bound(before), 'a')
    assert.equal(cookie(0, before), dated)
  }
  clock.advance(1_000)
  assert.notEqual(cookie(0, setUp().cookie(0)), dated)
})
