import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { createNegotiation } from './accept-encoding.ts'

const negotiate = createNegotiation(['zstd', 'br', 'gzip'])

const cases: Record<string, string | null> = {
  '': null,
  gzip: 'gzip',
  'x-gzip': 'gzip',
  GZIP: 'gzip',
  'gzip, deflate, br, zstd': 'zstd',
  'gzip, deflate, br': 'br',
  'gzip;q=1.0, br;q=0.8, zstd;q=0.9': 'gzip',
  'gzip;q=0.5, br;q=0.5': 'br',
  'br;q=0.001': 'br',
  'br;q=0': null,
  'br;q=0.000, gzip;q=0.1': 'gzip',
  'gzip ; q=0.7 ,\tbr\t;\tQ=0.3': 'gzip',
  deflate: null,
  identity: null,
  'identity, gzip': 'gzip',
  'identity, gzip;q=0.5': null,
  'identity;q=0.5, gzip;q=0.4': null,
  'identity;q=0.5, gzip;q=0.5': 'gzip',
  'identity;q=0, gzip;q=0.1': 'gzip',
  '*': 'zstd',
  '*;q=0': null,
  '*, zstd;q=0': 'br',
  '*;q=0, gzip': 'gzip',
  '*;q=0.5, br': 'br',
  'gzip, *;q=0': 'gzip',
  'gzip;q=2, br;q=0.1234, zstd;q=-1': null,
  'gzip;level=9, br': 'br',
  ', ,gzip,,': 'gzip',
}

for (const [header, coding] of Object.entries(cases))
  test(`${JSON.stringify(header)} selects ${coding ?? 'no coding'}`, () => {
    assert.equal(negotiate(header).coding, coding)
  })

for (const header of ['identity;q=0', '*;q=0', 'gzip, identity;q=0.0', '*;q=0, br', 'gzip, *;q=0'])
  test(`${JSON.stringify(header)} forbids identity`, () => {
    assert.ok(negotiate(header).refusesIdentity)
  })

for (const header of ['', 'gzip', '*', 'identity;q=0.001', '*;q=0, identity', '*;q=0, identity;q=0.5'])
  test(`${JSON.stringify(header)} allows identity`, () => {
    assert.ok(!negotiate(header).refusesIdentity)
  })

test('property: the coding is one that is offered and not forbidden', () => {
  const name = fc.constantFrom('zstd', 'br', 'gzip', 'identity', '*', 'deflate')
  const weight = fc.constantFrom('', ';q=0', ';q=0.3', ';q=0.8', ';q=1')
  const some = createNegotiation(['br', 'gzip'])
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, weight), { selector: ([each]) => each }), (elements) => {
      const { coding } = some(elements.map((parts) => parts.join('')).join(', '))
      if (coding === null) return
      assert.ok(coding === 'br' || coding === 'gzip')
      const own = elements.find(([each]) => each === coding) ?? elements.find(([each]) => each === '*')
      assert.ok(own !== undefined && own[1] !== ';q=0')
    }),
  )
})

test('results do not depend on previous lookups', () => {
  for (let i = 0; i < 1000; i++) assert.equal(negotiate(`gzip;q=0.${i % 1000}`).coding, i % 1000 === 0 ? null : 'gzip')
  assert.equal(negotiate('br').coding, 'br')
})
