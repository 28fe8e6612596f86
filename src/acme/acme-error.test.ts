import assert from 'node:assert/strict'
import type { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AcmeError, errorOfResponse, readProblem } from './acme-error.ts'
import { adviceFor } from './advice.ts'
import { challengeTypes } from './challenge.ts'
import { readChallenge } from './challenge-text.ts'
import { readRecord } from './certificate-record.ts'
import { certificateId } from './renewal-info.ts'
import { retryAfter } from './retry-after.ts'
import { anyCharacter } from '../../test/support/text.ts'

const URN = 'urn:ietf:params:acme:error:'
const NOW = Date.UTC(2026, 0, 1)
const WEEK = 7 * 24 * 3600_000

test('the message of a problem has its detail, those of its subproblems, and its type', () => {
  const text = JSON.stringify({
    type: `${URN}compound`,
    detail: 'Some names cannot be used',
    subproblems: [
      { type: `${URN}caa`, detail: 'CAA forbids it', identifier: { type: 'dns', value: 'a.test' } },
      { type: `${URN}dns`, detail: 'no address' },
    ],
  })
  const error = errorOfResponse('the order', { status: 403, text, retryAfter: '120' }, NOW)
  assert.ok(error instanceof AcmeError)
  assert.equal(error.message, 'the order: Some names cannot be used; a.test: CAA forbids it; no address (compound)')
  assert.deepEqual([error.type, error.retryAfter], ['compound', 120_000])
})

test('any other response is reported by its status', () => {
  for (const text of ['', '<html>', '[]', '{"detail":7}', '{"type":"about:blank"}'])
    assert.equal(errorOfResponse('it', { status: 502, text, retryAfter: undefined }, NOW).message, 'it: status 502')
})

test('whatever a server sends, the message stays short and printable', () => {
  const document = fc.record({
    type: fc.oneof(fc.string(), fc.constant(`${URN}rateLimited`)),
    detail: fc.string({ maxLength: 5000, unit: anyCharacter }),
    subproblems: fc.array(fc.record({ detail: fc.string({ maxLength: 5000, unit: anyCharacter }) })),
  })
  fc.assert(
    fc.property(fc.oneof(document, fc.jsonValue()), (value) => {
      const { detail } = readProblem(value)
      assert.ok(detail.length < 3000)
      assert.doesNotMatch(detail, /\p{Cc}/u)
    }),
  )
})

for (const [field, ms] of [
  ['0', 0],
  ['90', 90_000],
  ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
  ['Thu, 01 Jan 2015 00:02:00 GMT', 0],
  ['999999999', WEEK],
  ['soon', null],
] as const)
  test(`Retry-After: ${field} is read`, () => assert.equal(retryAfter(field, NOW), ms))

test('Retry-After is null or at most a week, whatever it contains', () => {
  fc.assert(
    fc.property(fc.string(), (field) => {
      const ms = retryAfter(field, NOW)
      assert.ok(ms === null || (ms >= 0 && ms <= WEEK))
    }),
  )
})

test('invalid records and challenges in a store are null', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(readRecord(text), null)
      assert.equal(readChallenge(text), null)
    }),
  )
})

test('reading the issuer of a certificate never fails, whatever its bytes', () => {
  const oid = Buffer.from('0603551d23', 'hex')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (before, after) => {
      const raw = Buffer.concat([before, oid, after])
      const id = certificateId({ raw, serialNumber: '01' } as X509Certificate)
      assert.ok(id === null || /^[\w-]*\.AQ$/.test(id))
    }),
  )
})

test('every kind of challenge has advice, with the domain of a wildcard', () => {
  for (const type of ['connection', 'dns', 'unauthorized', 'caa', 'rateLimited', 'rejectedIdentifier'])
    for (const challenge of challengeTypes) assert.match(adviceFor(type, '*.shop.test', challenge)!, /:/)
  assert.match(adviceFor('unauthorized', '*.shop.test', 'dns-01')!, /_acme-challenge\.shop\.test/)
  assert.equal(adviceFor('serverInternal', 'shop.test', 'http-01'), undefined)
})
