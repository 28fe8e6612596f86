import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { namesFor, parseResolvConf } from './resolv-conf.ts'

test('search domains and ndots are read as in resolv.conf(5)', () => {
  const text = `
# generated
nameserver 10.96.0.10
domain old.internal
search shop.svc.cluster.local svc.cluster.local. cluster.local ; of the cluster
options timeout:2 ndots:5
options edns0
`
  assert.deepEqual(parseResolvConf(text), {
    search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    ndots: 5,
  })
  assert.deepEqual(parseResolvConf('search a\ndomain b'), { search: ['b'], ndots: 1 })
  assert.deepEqual(parseResolvConf('options ndots:99'), { search: [], ndots: 15 })
  assert.deepEqual(parseResolvConf('options ndots:x ndots:\nsearch .'), { search: [], ndots: 1 })
  assert.deepEqual(parseResolvConf(''), { search: [], ndots: 1 })
})

test('a name with few dots tries the domains first, one with many itself first, and one with a final dot only itself', () => {
  const conf = { search: ['shop.local', 'local'], ndots: 2 }
  assert.deepEqual(namesFor('users', conf), ['users.shop.local', 'users.local', 'users'])
  assert.deepEqual(namesFor('users.shop.internal', conf), [
    'users.shop.internal',
    'users.shop.internal.shop.local',
    'users.shop.internal.local',
  ])
  assert.deepEqual(namesFor('users.', conf), ['users'])
})

test('property: few names are tried, and the name itself is among them', () => {
  const word = fc.constantFrom(
    'search',
    'domain',
    'options',
    'ndots:3',
    'ndots:-1',
    'a.b',
    '.',
    '#',
    ';',
    '\t',
    '\n',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string())), fc.constantFrom('users', 'a.b.c', 'x.'), (words, name) => {
      const conf = parseResolvConf(words.join(' '))
      const names = namesFor(name, conf)
      assert.ok(names.length <= 33)
      assert.ok(names.includes(name.replace(/\.$/, '')))
      assert.ok(conf.ndots >= 0 && conf.ndots <= 15)
    }),
  )
})
