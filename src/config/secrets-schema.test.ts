import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from './parse.ts'
import { checkSecrets } from './secrets-schema.ts'

const LONG = 'hush'.repeat(8)

test('secrets is one string or several with the current one first, and empty by default', () => {
  assert.deepEqual(parseConfig({}).secrets, [])
  assert.deepEqual(parseConfig({ secrets: LONG }).secrets, [LONG])
  assert.deepEqual(parseConfig({ secrets: [`${LONG}2`, LONG] }).secrets, [`${LONG}2`, LONG])
  // Sixteen characters of two bytes each.
  assert.deepEqual(parseConfig({ secrets: 'ä'.repeat(16) }).secrets, ['ä'.repeat(16)])
})

test('a short secret is rejected without being shown', () => {
  for (const secrets of ['hush'.repeat(7), [LONG, 'hush'.repeat(7)], '', [LONG, 'ä'.repeat(15)]])
    assert.throws(
      () => parseConfig({ secrets }),
      ({ message }: Error) => {
        assert.match(
          message,
          /^secrets(?:\[1\])?: expected at least 32 bytes, for example from "openssl rand -base64 32"/,
        )
        assert.doesNotMatch(message, /hush|ä/)
        return true
      },
    )
  assert.throws(() => parseConfig({ secrets: [] }), /secrets: expected a list of at least 1 item/)
})

test('an option that needs secrets is a problem without them', () => {
  assert.deepEqual(checkSecrets({ secrets: LONG }, ['listeners', 0], 'session tickets in Redis'), [])
  assert.deepEqual(checkSecrets({}, ['listeners', 0, 'tls'], 'session tickets in Redis'), [
    {
      path: ['listeners', 0, 'tls'],
      isKey: false,
      message:
        'session tickets in Redis need "secrets" at the top level of the configuration; expected a text of at least 32 bytes there',
    },
  ])
})
