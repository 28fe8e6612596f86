import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { register } from '../../src/acme/account.ts'
import { AcmeError } from '../../src/acme/acme-error.ts'
import { type Challenge, digestOf, type Solver } from '../../src/acme/challenge.ts'
import { Order } from '../../src/acme/order.ts'
import { Session } from '../../src/acme/session.ts'
import { Transport } from '../../src/acme/transport.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createRequest } from '../../src/tls/x509/request.ts'
import { cleanUp } from '../support/cleanup.ts'
import { externalAccount, type Pebble, startDns, startPebble, type TestDns } from '../support/pebble.ts'

const NOBODY = { email: undefined, external: undefined }

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

function sessionWith(t: TestContext, { directory, ca }: Pick<Pebble, 'directory' | 'ca'>, trusted = ca) {
  const ending = new AbortController()
  const transport = new Transport(systemClock, ending.signal, trusted)
  cleanUp(t, () => transport.close())
  return { session: new Session(directory, transport, systemClock), ending: ending.signal }
}

/** Publishes challenges on the DNS server of the test. */
function dnsSolver(dns: TestDns): Solver & { readonly presented: Challenge[] } {
  const presented: Challenge[] = []
  const hostOf = ({ domain }: Challenge) => `_acme-challenge.${domain}.`
  return {
    type: 'dns-01',
    presented,
    async present(challenges) {
      presented.push(...challenges)
      for (const each of challenges) await dns.setTxt(hostOf(each), digestOf(each).toString('base64url'))
      return async () => {
        for (const each of challenges) await dns.clearTxt(hostOf(each))
      }
    },
  }
}

/** Publishes nothing. */
const idle = (type: Solver['type']): Solver => ({ type, present: () => Promise.resolve(() => Promise.resolve()) })

test('a certificate is ordered from a CA that rejects some nonces', async (t) => {
  const dns = await startDns(t)
  const pebble = await startPebble(t, dns)
  const { session, ending } = sessionWith(t, pebble)
  const account = await register(session, newKey(), { email: 'ops@example.test', external: undefined })
  const [key, names] = [newKey(), ['*.shop.test', 'shop.test']]
  const solver = dnsSolver(dns)
  const csr = createRequest({ key, names })
  const chain = await new Order(session, account, { names, csr, solver, replaces: null, ending }).run()

  const [leaf, issuer] = chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem))
  assert.equal(leaf!.subjectAltName, 'DNS:*.shop.test, DNS:shop.test')
  assert.ok(leaf!.checkPrivateKey(key))
  assert.ok(leaf!.verify(issuer!.publicKey))
  assert.ok(issuer!.verify(new X509Certificate(await pebble.root()).publicKey))
  assert.deepEqual(
    solver.presented.map(({ domain }) => domain),
    ['shop.test', 'shop.test'],
  )
})

test('registering the same key again returns the same account', async (t) => {
  const pebble = await startPebble(t, await startDns(t))
  const { session } = sessionWith(t, pebble)
  const key = newKey()
  const [first, second] = [await register(session, key, NOBODY), await register(session, key, NOBODY)]
  assert.equal(first.url, second.url)
  const other = await register(session, newKey(), NOBODY)
  assert.notEqual(other.url, first.url)
})

test('an external account is bound, and the error asks for one if the CA requires it', async (t) => {
  const pebble = await startPebble(t, await startDns(t), { external: true })
  const { session } = sessionWith(t, pebble)
  await assert.rejects(register(session, newKey(), NOBODY), /wants an external account: set eab/)
  const wrong = { keyId: externalAccount.keyId, hmacKey: 'AAAA' }
  await assert.rejects(register(session, newKey(), { email: undefined, external: wrong }), (error) => {
    assert.ok(error instanceof AcmeError)
    assert.doesNotMatch(error.message, /AAAA/)
    return true
  })
  const account = await register(session, newKey(), { email: undefined, external: externalAccount })
  assert.match(account.url, /^https:/)
})

test('the reason of a CA for a failed challenge is reported', async (t) => {
  const pebble = await startPebble(t, await startDns(t))
  const { session, ending } = sessionWith(t, pebble)
  const account = await register(session, newKey(), NOBODY)
  const names = ['shop.test']
  const csr = createRequest({ key: newKey(), names })
  for (const [type, said] of [
    ['http-01', /http-01 challenge for shop\.test: .*connect.*\(connection\)$/],
    ['dns-01', /dns-01 challenge for shop\.test: .*TXT.*\(unauthorized\)$/],
  ] as const) {
    const order = new Order(session, account, { names, csr, solver: idle(type), replaces: null, ending })
    await assert.rejects(order.run(), said)
  }
})

test('an account that the CA no longer knows causes accountDoesNotExist', async (t) => {
  const pebble = await startPebble(t, await startDns(t), { alwaysValid: true })
  const { session, ending } = sessionWith(t, pebble)
  const key = newKey()
  const account = await register(session, key, NOBODY)
  await pebble.kill()
  await pebble.start()
  const names = ['shop.test']
  const request = {
    names,
    csr: createRequest({ key: newKey(), names }),
    solver: idle('http-01'),
    replaces: null,
    ending,
  }
  await assert.rejects(new Order(session, account, request).run(), { type: 'accountDoesNotExist' })
  const again = await register(session, key, NOBODY)
  assert.match(await new Order(session, again, request).run(), /^-----BEGIN CERTIFICATE-----/)
})

test('a CA with an untrusted server certificate is not used', async (t) => {
  const dns = await startDns(t)
  const [pebble, other] = [await startPebble(t, dns), await startPebble(t, dns)]
  const { session } = sessionWith(t, pebble, other.ca)
  await assert.rejects(session.directory(), /cannot be reached: .*certificate/)
})

test('errors of an unreachable CA and of a wrong directory URL say what to do', async (t) => {
  const pebble = await startPebble(t, await startDns(t))
  const { session } = sessionWith(t, pebble)
  const { ca, directory } = pebble
  const wrong = sessionWith(t, { ca, directory: directory.replace('/dir', '/nonce-plz') })
  await assert.rejects(wrong.session.directory(), /check that the configured URL is that of an ACME directory/)
  await pebble.kill()
  await assert.rejects(session.directory(), /127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
})
