import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers } from '../../http/headers.ts'
import { compressedTag, restoreTags } from './entity-tags.ts'

test('a strong tag becomes a recognizable weak one, and weak or invalid tags stay', () => {
  assert.equal(compressedTag('"v1"'), 'W/"v1~compressed"')
  assert.equal(compressedTag('""'), 'W/"~compressed"')
  for (const tag of ['W/"v1"', 'v1', '"', '"v1']) assert.equal(compressedTag(tag), tag)
})

for (const [sent, restored] of [
  ['W/"v1~compressed"', '"v1"'],
  ['"a", W/"v1~compressed" ,W/"b"', '"a", "v1" ,W/"b"'],
  ['W/"~compressed"', '""'],
  ['"v1~compressed"', '"v1~compressed"'],
  ['W/"v1"', 'W/"v1"'],
  ['*', '*'],
] as const)
  test(`${sent} is sent to the service as ${restored}`, () => {
    for (const name of ['If-Match', 'If-None-Match']) {
      const headers = Headers.of([[name, sent]])
      assert.equal(restoreTags(headers), name === 'If-None-Match' && sent.includes('~') ? sent : undefined)
      assert.equal(headers.get(name), restored)
    }
  })

test('the tag of a service is restored exactly', () => {
  const tag = '"a~compressed"'
  const headers = Headers.of([['If-Match', compressedTag(tag)]])
  restoreTags(headers)
  assert.equal(headers.get('If-Match'), tag)
})
