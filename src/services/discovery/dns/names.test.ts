import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import test from 'node:test'
import { type DnsServer, startDns } from '../../../../test/support/dns-server.ts'
import { TIMEOUT } from '../../../../test/support/timeout.ts'
import { type NameFiles, Names, NO_FILES } from './names.ts'

const SEARCHED: NameFiles = { hosts: '', resolv: { search: ['shop.local', 'local'], ndots: 2 } }

function namesOf(dns: DnsServer, files: NameFiles, timeout = TIMEOUT): Names {
  const resolver = new Resolver({ timeout, tries: 1 })
  resolver.setServers([dns.address])
  return new Names(resolver, files)
}

const requests = (dns: DnsServer): string[] => dns.asked.map(({ name }) => name)

test('a name is looked up in the search domains until it is found', async (t) => {
  const dns = await startDns(t)
  dns.set('users.local', 'A', { records: ['10.0.0.1'], ttl: 7 })
  dns.set('users', 'A', { records: ['10.0.0.9'] })
  const names = namesOf(dns, SEARCHED)
  assert.deepEqual(await names.addresses('users', 4), { addresses: ['10.0.0.1'], ttl: 7_000 })
  assert.deepEqual(requests(dns), ['users.shop.local', 'users.local'])
  assert.deepEqual((await names.addresses('users.', 4)).addresses, ['10.0.0.9'])
})

test('a domain without an answer ends the search, as a later one could be a different name', async (t) => {
  const dns = await startDns(t)
  dns.set('users.shop.local', 'A', { code: 'SERVFAIL' })
  dns.set('users.local', 'A', { records: ['10.0.0.1'] })
  const names = namesOf(dns, SEARCHED)
  await assert.rejects(names.addresses('users', 4), {
    message: 'A users.shop.local: the DNS server failed (SERVFAIL)',
  })
  dns.set('users.shop.local', 'A', { silent: true })
  await assert.rejects(namesOf(dns, SEARCHED, 200).addresses('users', 4), {
    message: 'A users.shop.local: no DNS server has answered in time',
  })
})

test('a name without records differs from a name that does not exist', async (t) => {
  const dns = await startDns(t)
  dns.set('users.local', 'AAAA', { records: ['2001:db8::1'] })
  const names = namesOf(dns, SEARCHED)
  await assert.rejects(names.addresses('users', 4), { known: true, message: 'users has no A records' })
  await assert.rejects(names.addresses('none', 4), { known: false, message: 'the name none does not exist' })
  assert.deepEqual((await names.addresses('users', 6)).addresses, ['2001:db8::1'])
})

test('a name in /etc/hosts is not looked up', async (t) => {
  const dns = await startDns(t)
  const names = namesOf(dns, { ...NO_FILES, hosts: '10.0.0.7 users\n' })
  assert.deepEqual(await names.addresses('users', 4), { addresses: ['10.0.0.7'], ttl: Infinity })
  assert.deepEqual(requests(dns), [])
})
