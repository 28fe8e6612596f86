import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { temporaryFile } from './support/command.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

/** An admin listener with that answer, and the requests that it received. */
async function startAdmin(t: TestContext, status: number, answer: string) {
  const asked: Promise<{ method: string; url: string; authorization: string; type: string; body: unknown }>[] = []
  const { url } = await startService(t, (request, response) => {
    const { method = '', url: target = '', headers } = request
    const { authorization = '', 'content-type': type = '' } = headers
    asked.push(
      text(request).then((body) => ({ method, url: target, authorization, type, body: JSON.parse(body) as unknown })),
    )
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(answer)
  })
  return { url, asked }
}

for (const [args, body] of [
  [['--url', 'http://h/a?b=1'], { url: 'http://h/a?b=1' }],
  [['--prefix', 'http://h/a'], { prefix: 'http://h/a' }],
  [['--host', 'h', '--group', 'products'], { host: 'h', group: 'products' }],
] as const)
  test(`cache purge ${args.join(' ')} sends the request to the admin listener`, async (t) => {
    const { url, asked } = await startAdmin(t, 200, '{"purged":3,"replicas":[],"unreached":null}')
    const outcome = await runHere(['cache', 'purge', ...args, '--admin', url], { env: { ADMIN_TOKEN: 'secret' } })
    assert.deepEqual(outcome, { code: 0, stdout: '3 stored replies purged\n', stderr: '' })
    const expected = { method: 'POST', url: '/cache/purge', authorization: 'Bearer secret', type: 'application/json' }
    assert.deepEqual(await Promise.all(asked), [{ ...expected, body }])
  })

test('the address and the token of the admin listener are taken from the configuration', async (t) => {
  const { url, asked } = await startAdmin(t, 200, '{"purged":1,"replicas":[],"unreached":null}')
  const { host } = new URL(url)
  const routes = 'routes: [{ id: a, match: { path: / }, reply: {} }]\n'
  const config = (admin: string) => temporaryFile(t, 'sallyport.yaml', `admin: ${admin}\n${routes}`)
  const purge = (file: string) => runHere(['cache', 'purge', '--url', 'http://h/a', '--config', file])
  const outcome = await purge(await config(`{ address: "${host}", token: a-token-of-the-file }`))
  assert.deepEqual(outcome, { code: 0, stdout: '1 stored reply purged\n', stderr: '' })
  assert.equal((await asked[0])?.authorization, 'Bearer a-token-of-the-file')
  const everywhere = await config(`{ address: "0.0.0.0:${new URL(url).port}", token: a-token-of-the-file }`)
  assert.equal((await purge(everywhere)).stdout, '1 stored reply purged\n')
  const none = await purge(await config('false'))
  assert.equal(none.code, 1)
  assert.match(none.stderr, /has no admin listener: give its address with --admin/)
  const broken = await temporaryFile(t, 'sallyport.yaml', 'routes: [')
  const { code, stderr } = await runHere(['reload', '--config', broken])
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^\S+sallyport\.yaml:1:\d+: .*\n(?:.*\n)*No gateway was asked, because the file does not say where/,
  )
})

test('the token that the configuration requires may be missing', async (t) => {
  const { url } = await startAdmin(t, 401, '{"detail":"Log in."}')
  const { host } = new URL(url)
  const file = await temporaryFile(t, 'sallyport.yaml', `admin: { address: "${host}", writable: true }\n`)
  const { code, stderr } = await runHere(['cache', 'purge', '--url', 'http://h/a', '--config', file], {
    env: { ADMIN_TOKEN: '' },
  })
  assert.equal(code, 1)
  assert.match(stderr, /answered 401: Log in\. This command sent no token: ADMIN_TOKEN is not set\.\n$/)
})

test('a URL with https:// for a listener without TLS is reported as such', async (t) => {
  const { url } = await startAdmin(t, 200, '{}')
  const { code, stderr } = await runHere(['reload', '--admin', url.replace('http:', 'https:')])
  assert.equal(code, 1)
  assert.match(stderr, /^https:\S+ does not answer: it does not speak TLS, so its URL begins with http:\/\/\./)
})

test('without ADMIN_TOKEN no token is sent', async (t) => {
  const { url, asked } = await startAdmin(t, 200, '{"purged":1,"replicas":[],"unreached":null}')
  const { stdout } = await runHere(['cache', 'purge', '--url', 'http://h/a', '--admin', url], {
    env: { ADMIN_TOKEN: '' },
  })
  assert.equal(stdout, '1 stored reply purged\n')
  assert.equal((await asked[0])?.authorization, '')
})

for (const [status, answer, said, token = ''] of [
  [401, '{"detail":"Log in."}', /answered 401: Log in\. This command sent no token: ADMIN_TOKEN is not set\.\n$/],
  [401, '{"detail":"Log in."}', /answered 401: Log in\. The token that this command sent is not valid\.\n$/, 'secret'],
  [200, '{}', /answered 200: this is not the response of an admin listener\.\n$/],
  [404, 'not JSON', /answered 404: this is not the response of an admin listener\.\n$/],
] as const)
  test(`the answer ${status} ${answer} to the token "${token}" is reported as an error`, async (t) => {
    const { url } = await startAdmin(t, status, answer)
    const { code, stdout, stderr } = await runHere(['cache', 'purge', '--url', 'http://h/a', '--admin', url], {
      env: { ADMIN_TOKEN: token },
    })
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, said)
  })

test('an unreachable admin listener is reported', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  const { code, stderr } = await runHere([
    'cache',
    'purge',
    '--url',
    'http://h/a',
    '--admin',
    `http://127.0.0.1:${port}`,
  ])
  assert.equal(code, 1)
  assert.match(stderr, /^http:\/\/127\.0\.0\.1:\d+ does not answer: connect ECONNREFUSED/)
})

for (const args of [
  ['cache'],
  ['cache', 'list'],
  ['cache', 'purge'],
  ['cache', 'purge', '--host', 'h'],
  ['cache', 'purge', '--url', 'http://h/', '--group', 'g'],
  ['cache', 'purge', '--url', 'http://h/', '--prefix', 'http://h/'],
  ['cache', 'purge', '--url', 'http://h/', '--admin', 'nowhere'],
  ['cache', 'purge', '--all'],
])
  test(`${args.join(' ')} is a usage error`, async () => {
    const { code, stderr } = await runHere(args)
    assert.equal(code, 64)
    assert.match(stderr, /Usage: sallyport/)
  })
