import assert from 'node:assert/strict'
import test from 'node:test'
import { startAdminGateway } from '../support/admin.ts'
import { send } from '../support/client.ts'

const token = 'correct-horse-battery'

test('console files are cached by ETag, and served without a token', async (t) => {
  const { adminPort } = await startAdminGateway(t, { admin: { token } })
  const page = await send(adminPort, { path: '/console/' })
  assert.equal(page.status, 200)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  assert.match(policy, /require-trusted-types-for 'script'$/)
  const files = [...page.text.matchAll(/(?:href|src)="(\/console\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(files.includes('/console/main.js') && files.includes('/console/lib/preact.js'))
  for (const path of new Set(files)) {
    const { status, headers, text } = await send(adminPort, { path })
    assert.equal(status, 200, path)
    assert.doesNotMatch(text, /from ['"](?!\.{1,2}\/[^'"]+\.js['"]|\/console\/)/, path)
    const again = await send(adminPort, { path, headers: { 'If-None-Match': headers.etag } })
    assert.deepEqual([again.status, again.text], [304, ''])
  }
  assert.equal((await send(adminPort, { path: '/console/routes/a.b' })).status, 200)
  for (const path of ['/console/nothing.js', '/console/lib/../../package.js', '/console/main.ts.map'])
    assert.equal((await send(adminPort, { path })).status, 404, path)
  assert.equal((await send(adminPort, { path: '/console' })).headers.location, '/console/')
})

test('everything but the console files requires the token', async (t) => {
  const { adminPort } = await startAdminGateway(t, { admin: { token } })
  for (const path of ['/', '/status', '/events', '/docs/', '/consoles', '/console/../status', '//console/'])
    assert.equal((await send(adminPort, { path })).status, path.startsWith('/console/') ? 200 : 401, path)
  assert.match((await send(adminPort, { path: '/console/../status' })).headers['content-type']!, /^text\/html/)
  assert.equal((await send(adminPort, { method: 'POST', path: '/console/' })).status, 401)
})
