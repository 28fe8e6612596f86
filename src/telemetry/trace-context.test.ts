import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseState, traceOf } from './trace-context.ts'

const ID = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const HEX = /^[\da-f]+$/

const byParent = (_: string, parent: boolean | null): boolean => parent ?? true

function continued(traceparent: string, tracestate: string | null = null) {
  const trace = traceOf(traceparent, tracestate, byParent)
  return trace.traceId === ID ? trace : null
}

test('a valid traceparent is continued with a new span', () => {
  const trace = continued(`00-${ID}-${PARENT}-01`)
  assert.equal(trace?.parentId, PARENT)
  assert.match(trace.spanId, /^[\da-f]{16}$/)
  assert.notEqual(trace.spanId, PARENT)
  assert.equal(trace.fields('00f067aa0ba902b7'), `traceparent: 00-${ID}-00f067aa0ba902b7-01\r\n`)
})

test('a trace with a random id starts if there is none', () => {
  const trace = traceOf(null, 'a=1', byParent)
  assert.match(trace.traceId, /^[\da-f]{32}$/)
  assert.equal(trace.parentId, '')
  assert.equal(trace.fields(trace.spanId), `traceparent: 00-${trace.traceId}-${trace.spanId}-03\r\n`)
})

for (const [why, value] of Object.entries({
  'an empty one': '',
  'upper case': `00-${ID.toUpperCase()}-${PARENT}-01`,
  'version ff': `ff-${ID}-${PARENT}-01`,
  'version 00 with extra fields': `00-${ID}-${PARENT}-01-more`,
  'no dash after the flags of a later version': `cc-${ID}-${PARENT}-01.more`,
  'a trace id of zeros': `00-${'0'.repeat(32)}-${PARENT}-01`,
  'a parent id of zeros': `00-${ID}-${'0'.repeat(16)}-01`,
  'two lines': `00-${ID}-${PARENT}-01, 00-${ID}-${PARENT}-01`,
  'a trailing line feed': `00-${ID}-${PARENT}-01\n`,
}))
  test(`${why} is no valid traceparent, and its tracestate is dropped`, () => {
    assert.equal(continued(value, 'a=1'), null)
    assert.equal(traceOf(value, 'a=1', byParent).state, '')
  })

test('a later version is read as far as it is known, and forwarded as version 00', () => {
  const trace = continued(`cc-${ID}-${PARENT}-01-more`)
  assert.equal(trace?.fields(PARENT), `traceparent: 00-${ID}-${PARENT}-01\r\n`)
})

for (const [sent, kept] of ['00/00', '01/01', '02/02', '03/03', 'ff/03', 'fc/00'].map((pair) => pair.split('/')))
  test(`of the flags ${sent}, ${kept} are forwarded`, () => {
    assert.equal(continued(`00-${ID}-${PARENT}-${sent}`)?.fields(PARENT), `traceparent: 00-${ID}-${PARENT}-${kept}\r\n`)
  })

test('a sampler can overrule the caller, and never changes the random flag', () => {
  const flags = (sent: string, decision: boolean) => traceOf(`00-${ID}-${PARENT}-${sent}`, null, () => decision).flags
  assert.deepEqual([flags('00', true), flags('03', false), flags('02', true)], [1, 2, 3])
  assert.equal(traceOf(null, null, () => false).flags, 2)
})

test('the members of a tracestate are forwarded in order, without the surrounding whitespace', () => {
  assert.equal(parseState('foo=1 \t , \t bar=2,, \t baz= 3'), 'foo=1,bar=2,baz= 3')
  assert.equal(parseState(' , \t,'), '')
  assert.equal(continued(`00-${ID}-${PARENT}-01`, 'a=1,b=2')?.fields(PARENT).split('\r\n')[1], 'tracestate: a=1,b=2')
})

for (const bad of [
  'foo =1',
  'FOO=1',
  'foo.bar=1',
  '@foo=1',
  'foo=bar=baz',
  'foo=',
  'foo',
  '=1',
  'foo=\xe4',
  `${'z'.repeat(257)}=1`,
  `z=${'v'.repeat(257)}`,
])
  test(`one invalid member such as ${bad.slice(0, 20)} invalidates the tracestate, but not the trace`, () => {
    assert.equal(parseState(`a=1,${bad},b=2`), '')
    assert.equal(continued(`00-${ID}-${PARENT}-01`, bad)?.state, '')
  })

test('a tracestate has at most 32 members', () => {
  const members = Array.from({ length: 33 }, (_, i) => `k${i}=1`)
  assert.equal(parseState(members.slice(1).join(',')), members.slice(1).join(','))
  assert.equal(parseState(members.join(',')), '')
})

test('a tracestate that is too long loses its long members first, then those at the end', () => {
  const long = `long=${'x'.repeat(200)}`
  const short = Array.from({ length: 10 }, (_, i) => `k${i}=${'y'.repeat(60)}`)
  assert.equal(parseState(`${long},a=1`), `${long},a=1`)
  assert.equal(parseState(`${long},${short.join(',')}`), short.slice(0, 8).join(','))
})

test('property: what is forwarded is valid, and the next hop forwards it unchanged', () => {
  const alphabet = fc.constantFrom(...Array.from('ab=, \t@-_0\xe4Z'))
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 60 }), fc.string(), (state, parent) => {
      const once = parseState(state)
      assert.equal(parseState(once), once)
      const trace = traceOf(parent, state, byParent)
      assert.ok(trace.traceId.length === 32 && HEX.test(trace.traceId) && trace.spanId.length === 16)
    }),
  )
})

test('property: any version, ids and flags can be parsed', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length })
  fc.assert(
    fc.property(hex(32), hex(16), hex(2), (id, parent, flags) => {
      fc.pre(!/^0+$/.test(id) && !/^0+$/.test(parent))
      const trace = traceOf(`00-${id}-${parent}-${flags}`, null, byParent)
      assert.deepEqual(
        [trace.traceId, trace.parentId, trace.sampled],
        [id, parent, Number.parseInt(flags, 16) % 2 === 1],
      )
    }),
  )
})
