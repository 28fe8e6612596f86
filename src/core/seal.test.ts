import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Seal } from './seal.ts'

const [current, previous, other] = [randomBytes(32), randomBytes(32), randomBytes(32)]
const sealOf = (...keys: Buffer[]) => new Seal({ keys, acceptsPlain: false })

test('property: a sealed text can be opened with the same key and purpose only', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (text, about, else_) => {
      const sealed = sealOf(current).seal(text, about)
      assert.equal(sealOf(current).open(sealed, about), text)
      assert.equal(sealOf(current).open(sealed, else_), else_ === about ? text : null)
      assert.equal(sealOf(other).open(sealed, about), null)
    }),
  )
})

test('a previous key can still open, and the current one seals', () => {
  const old = sealOf(previous).seal('key', 'a')
  const seal = sealOf(current, previous)
  assert.equal(seal.open(old, 'a'), 'key')
  assert.equal(sealOf(current).open(seal.seal('key', 'a'), 'a'), 'key')
  assert.equal(sealOf(previous).open(seal.seal('key', 'a'), 'a'), null)
})

test('sealed texts do not reveal the text, and differ each time', () => {
  const seal = sealOf(current)
  const [first, second] = [seal.seal('PRIVATE KEY', 'a'), seal.seal('PRIVATE KEY', 'a')]
  assert.notEqual(first, second)
  assert.doesNotMatch(Buffer.from(first.slice(9), 'base64url').toString('latin1') + first, /PRIVATE/)
})

test('a change of any byte is detected', () => {
  const sealed = sealOf(current).seal('key', 'a')
  const bytes = Buffer.from(sealed.slice(9), 'base64url')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i]! ^= 1
    assert.equal(sealOf(current).open(`sealed.1.${changed.toString('base64url')}`, 'a'), null)
  }
  for (const text of ['sealed.1.', 'sealed.1.AAAA', 'sealed.1.\u0000'])
    assert.equal(sealOf(current).open(text, 'a'), null)
})

test('unsealed text is only accepted without keys or if allowed', () => {
  assert.equal(sealOf().seal('plain', 'a'), 'plain')
  assert.equal(sealOf().open('plain', 'a'), 'plain')
  assert.equal(sealOf(current).open('plain', 'a'), null)
  assert.equal(new Seal({ keys: [current], acceptsPlain: true }).open('plain', 'a'), 'plain')
})
