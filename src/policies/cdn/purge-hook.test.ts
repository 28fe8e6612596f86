import assert from 'node:assert/strict'
import test from 'node:test'
import { compileHook, groupsPurged, purgedBy, purgeHook } from './purge-hook.ts'

const hook = (written: object) => compileHook(purgeHook.parse(written))
const page = purgedBy({ url: 'https://shop.example:8443/a%20b?x="1"' })
const below = purgedBy({ prefix: 'https://shop.example/products/' })
const [groups] = groupsPurged(['shoes', 'a b', 'shoes', ''])

test('Fastly: tags are sent in a header, and URLs by their path', () => {
  const keys = hook({
    url: 'https://api.fastly.com/service/SU1Z0/purge',
    headers: { 'Fastly-Key': 'k', 'Surrogate-Key': '{tags}' },
  })
  assert.deepEqual(keys(groups!), {
    url: 'https://api.fastly.com/service/SU1Z0/purge',
    method: 'POST',
    headers: { 'Fastly-Key': 'k', 'Surrogate-Key': 'shoes a%20b' },
    body: '',
  })
  assert.equal(keys(page), null)
  const single = hook({ url: 'https://api.fastly.com/purge/{host}{path}', headers: { 'Fastly-Key': 'k' } })
  assert.equal(single(page)?.url, 'https://api.fastly.com/purge/shop.example%3A8443/a%20b?x=%221%22')
})

test('Cloudflare: files, prefixes and tags are sent as JSON', () => {
  const to = { url: 'https://api.cloudflare.com/client/v4/zones/Z/purge_cache', headers: { Authorization: 'Bearer t' } }
  assert.equal(
    hook({ ...to, body: '{"files":["{url}"]}' })(page)?.body,
    '{"files":["https://shop.example:8443/a%20b?x=\\"1\\""]}',
  )
  assert.equal(
    hook({ ...to, body: '{"prefixes":["{prefix}"]}' })(below)?.body,
    '{"prefixes":["shop.example/products/"]}',
  )
  const tags = hook({ ...to, body: '{"tags":{tags}}' })(groups!)
  assert.equal(tags?.body, '{"tags":["shoes","a%20b"]}')
  assert.deepEqual(tags?.headers, { Authorization: 'Bearer t', 'Content-Type': 'application/json' })
})

test('one hook can handle all kinds of purges', () => {
  const all = hook({ url: 'http://hooks.example/', body: '{"url":"{url}","prefix":"{prefix}","tags":{tags}}' })
  assert.equal(all(below)?.body, '{"url":"","prefix":"shop.example/products/","tags":[]}')
  assert.equal(all(groups!)?.body, '{"url":"","prefix":"","tags":["shoes","a%20b"]}')
})

test('tags are sent in batches that the APIs accept', () => {
  const steps = groupsPurged(Array.from({ length: 65 }, (_, i) => `g${i}`))
  assert.deepEqual(
    steps.map((step) => (step.kind === 'tags' ? step.tags.length : 0)),
    [30, 30, 5],
  )
})

test('a hook with placeholders in its host, or without any, is rejected', () => {
  for (const [written, message] of [
    [{ url: 'https://{host}/purge' }, /whose host has no placeholders/],
    [{ url: 'https://api.example.com/purge' }, /has no placeholder for what is purged/],
    [{ url: 'https://api.example.com/', body: '{"a":{url}}' }, /\{url\} outside of a string/],
    [{ url: 'https://api.example.com/{url}', headers: { 'Content-Type': 'image/png' } }, /not JSON, plain text or XML/],
    [{ url: 'https://api.example.com/{url}', headers: { 'X-A': 'a\nb' } }, /names and values that a header can carry/],
  ] as const)
    assert.match(purgeHook.safeParse(written).error?.message ?? '', message)
})
