import assert from 'node:assert/strict'
import test from 'node:test'
import { compileMediaTypes, mediaType } from './media-types.ts'

const written = ['text/*', 'Application/JSON', 'application/*+json', 'image/*+xml']
const listed = compileMediaTypes(written.map((type) => mediaType.parse(type)))

for (const type of [
  'text/plain',
  'text/html; charset=utf-8',
  'TEXT/CSS',
  'application/json',
  'application/json;charset=utf-8',
  ' application/json ; charset=utf-8',
  'application/problem+json',
  'image/svg+xml',
])
  test(`${JSON.stringify(type)} is included`, () => assert.ok(listed(type)))

for (const type of [
  '',
  'application/jsonx',
  'xapplication/json',
  'application/octet-stream',
  'application/+jsonp',
  'image/png',
  'imagexsvg+xml',
])
  test(`${JSON.stringify(type)} is not included`, () => assert.ok(!listed(type)))

for (const text of ['', 'text', 'text/', '/plain', '*/*', 'text/plain; charset=utf-8', 'text/a b'])
  test(`${JSON.stringify(text)} is rejected as a media type`, () => {
    assert.match(String(mediaType.safeParse(text).error), /expected a media type/)
  })
