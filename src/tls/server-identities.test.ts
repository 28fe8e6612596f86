import assert from 'node:assert/strict'
import test from 'node:test'
import { authority } from '../../test/support/tls.ts'
import { ServerIdentities, type TlsSettings } from './server-identities.ts'
import { SessionTickets } from './session-tickets.ts'
import { newSeed } from './ticket-seed.ts'

const tickets = new SessionTickets(newSeed([], 0), () => 0)
const settings: TlsSettings = { minVersion: '1.2', http2: true }

test('replacing one certificate keeps the secure contexts of the others', () => {
  const [a, b, later] = ['a.test', 'b.test', 'b.test'].map((name) => authority.issue({ names: [name] }))
  const before = new ServerIdentities([a!, b!], settings, tickets)
  const after = new ServerIdentities([a!, later!], settings, tickets, before)
  assert.equal(after.find('a.test'), before.find('a.test'))
  assert.notEqual(after.find('b.test'), before.find('b.test'))
  const stricter = new ServerIdentities([a!, b!], { minVersion: '1.3', http2: true }, tickets, before)
  assert.notEqual(stricter.find('a.test'), before.find('a.test'))
})

test('an identity covers its names, and a wildcard covers exactly one label', () => {
  const identities = new ServerIdentities([authority.issue({ names: ['a.test', '*.a.test'] })], settings, tickets)
  for (const [name, covered] of [
    ['a.test', true],
    ['b.a.test', true],
    ['c.b.a.test', false],
    ['b.test', false],
    ['test', false],
    ['', false],
  ] as const) {
    assert.equal(ServerIdentities.covers(identities.default!, name), covered, name)
    assert.equal(identities.find(name) !== null, covered, name)
  }
})

test('no identity is found where there is no certificate yet', () => {
  const none = new ServerIdentities([], settings, tickets)
  assert.deepEqual([none.default, none.size, none.find('a.test')], [null, 0, null])
})

test('identities with the same certificates and settings are recognized without reading them', () => {
  const [a, b] = [authority.issue(), authority.issue()]
  const identities = new ServerIdentities([a], { ...settings, clients: null }, tickets)
  assert.equal(identities.areOf([{ ...a }], { ...settings, clients: null }), true)
  assert.equal(identities.areOf([a, b], { ...settings, clients: null }), false)
  assert.equal(identities.areOf([b], { ...settings, clients: null }), false)
  assert.equal(identities.areOf([a], { minVersion: '1.3', http2: true, clients: null }), false)
  assert.equal(identities.areOf([a], { ...settings, clients: { ca: authority.cert, crls: [] } }), false)
})
