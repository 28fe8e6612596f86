import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { deriveKeys } from '../../core/secrets.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { HealthBoard } from '../health/board.ts'
import { StickyHeader } from './header.ts'

const NAME = 'Mcp-Session-Id'

function setUp(hosts = ['a', 'b']) {
  const board = HealthBoard.create(hosts.length)
  const instances = hosts.map((host, slot) => ({ address: `${host}:80`, host, port: 80, slot, weight: 1, inFlight: 0 }))
  const keys = deriveKeys(['s'.repeat(32)], 'sticky')
  const sticky = new StickyHeader('mcp', { header: NAME }, instances, { board, clock: new ManualClock(), keys })
  return {
    board,
    /** What the client gets of a session that the instance names. */
    given: (at: number, session: string | null): string | undefined => {
      const reply = new Reply(200, Headers.of(session === null ? [] : [[NAME, session]]), null)
      sticky.bind(makeExchange(), instances[at]!, reply)
      return reply.headers.get(NAME)
    },
    /** Where a request goes with what the client sends, and what is sent on. */
    asked: (session: string) => {
      const exchange = makeExchange({ headers: Headers.of([[NAME, session]]) })
      const host = sticky.bound(exchange)?.host ?? null
      return [host, exchange.headers.get(NAME)]
    },
  }
}

test('a session leads to the instance that created it, which gets its original name', () => {
  const { given, asked } = setUp()
  const session = given(1, 'abc')!
  assert.match(session, /^abc~[\w-]{22}$/)
  assert.deepEqual(asked(session), ['b', 'abc'])
})

test('a reply without the header binds nothing', () => {
  assert.equal(setUp().given(0, null), undefined)
})

test('property: any session name is restored exactly', () => {
  const { given, asked } = setUp()
  const visible = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
  })
  fc.assert(
    fc.property(visible, fc.nat(1), (session, at) => {
      assert.deepEqual(asked(given(at, session)!), [at === 0 ? 'a' : 'b', session])
    }),
  )
})

test('a session name without a valid binding is passed on unchanged', () => {
  const { asked } = setUp()
  for (const session of ['abc', 'abc~', '~', 'a~b', `abc~${'A'.repeat(22)}`])
    assert.deepEqual(asked(session), [null, session])
})

test('if the instance is unhealthy, another one gets the session', () => {
  const { board, given, asked } = setUp()
  const session = given(0, 'abc')!
  board.set(0, 'unhealthy')
  assert.deepEqual(asked(session), [null, 'abc'])
})

test('a session stays while its instance is drained', () => {
  const { board, given, asked } = setUp()
  const session = given(0, 'abc')!
  board.drain(0, true)
  assert.deepEqual(asked(session), ['a', 'abc'])
})
