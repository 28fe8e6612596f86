import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers } from '../../http/headers.ts'
import { compressedTag, restoreTags } from './entity-tags.ts'

test('a strong tag becomes a weak one that can be told, a weak one and what is none stay', () => {
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
  test(`${sent} is ${restored} to the service`, () => {
    for (const name of ['If-Match', 'If-None-Match']) {
      const headers = Headers.of([[name, sent]])
      assert.equal(restoreTags(headers), name === 'If-None-Match' && sent.includes('~') ? sent : undefined)
      assert.equal(headers.get(name), restored)
    }
  })

test('the tag of any service comes back as it was', () => {
  const tag = '"a~compressed"'
  const headers = Headers.of([['If-Match', compressedTag(tag)]])
  restoreTags(headers)
  assert.equal(headers.get('If-Match'), tag)
})
