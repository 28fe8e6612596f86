import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { startHaproxy } from './support/balancers.ts'
import { Authority, type Leaf } from './support/certificates.ts'
import { start } from './support/command.ts'
import { startService } from './support/service.ts'
import { authority, connectSecurely, writeLeaf } from './support/tls.ts'

/** Starts the gateway with an example, on any free port, before a service and with a certificate of the tests. */
async function launch(
  t: TestContext,
  file: string,
  env: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
) {
  const yaml = await readFile(new URL(`../examples/tls/${file}`, import.meta.url), 'utf8')
  const service = await startService(t, (_, response) => void response.end('the shop'))
  const { cert, key } = writeLeaf(t, authority.issue())
  const files: Record<string, string> = {}
  for (const [name, text] of Object.entries(more)) {
    files[name] = join(dirname(cert), name)
    await writeFile(files[name], text)
  }
  const settings = { HTTPS: '127.0.0.1:0', CERT: cert, KEY: key, SHOP_URL: service.url, ...files, ...env }
  return { service, ...(await start(t, yaml, { env: settings })) }
}

test('examples/tls/own-certificate.yaml: https uses the certificate, and plain HTTP redirects to it', async (t) => {
  const { command, port } = await launch(t, 'own-certificate.yaml', { HTTP: '127.0.0.1:0' })
  const listening = command.log.find(({ message }) => message === 'Sallyport is listening')
  assert.ok(Array.isArray(listening?.['listeners']))
  const plain = Number(String(listening['listeners'][1]).split(':').at(-1))
  const redirect = await send(plain, { path: '/tea?cups=2', headers: { Host: 'shop.example.com' } })
  assert.equal(redirect.status, 308)
  assert.equal(redirect.headers.location, `https://shop.example.com:${port}/tea?cups=2`)
  const { peer } = await connectSecurely(t, port)
  peer.write('GET /tea HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const reply = await peer.reply()
  assert.equal(reply.body.toString(), 'the shop')
  assert.equal(reply.fields.get('strict-transport-security'), 'max-age=31536000; includeSubDomains')
})

test('examples/tls/behind-a-load-balancer.yaml: clients use TLS through HAProxy, which sends their addresses', async (t) => {
  const { service, port } = await launch(t, 'behind-a-load-balancer.yaml', { LOAD_BALANCER: '127.0.0.1' })
  const balancer = await startHaproxy(
    t,
    (own) =>
      `frontend in\n  mode tcp\n  bind 127.0.0.1:${own}\n  default_backend out\n` +
      `backend out\n  mode tcp\n  server gateway 127.0.0.1:${port} send-proxy-v2\n`,
  )
  const { peer, socket } = await connectSecurely(t, balancer, {}, '', '127.0.0.2')
  assert.equal(socket.getProtocol(), 'TLSv1.3')
  peer.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n')
  assert.equal((await peer.reply()).body.toString(), 'the shop')
  const { headers } = service.received[0]!
  assert.deepEqual([headers['x-forwarded-for'], headers['x-forwarded-proto']], ['127.0.0.2', 'https'])
  // Without a header nobody is heard.
  await assert.rejects(connectSecurely(t, port))
})

test('examples/tls/client-certificates.yaml: clients are identified by their certificate, and others rejected', async (t) => {
  const clients = new Authority({ subject: { commonName: 'Clients' } })
  const stock = clients.issueClient({ names: ['spiffe://example.org/ns/shop/stock'] })
  const partner = clients.issueClient({ subject: { organization: 'Example', commonName: 'partner' } })
  const revoked = clients.issueClient({ names: ['spiffe://example.org/ns/shop/old'] })
  const files = { CLIENTS_CA: clients.cert, CLIENTS_CRL: clients.revoke([revoked.cert]) }
  const { service, port } = await launch(t, 'client-certificates.yaml', {}, files)
  const ask = async (leaf: Leaf, path: string): Promise<string> => {
    const { peer } = await connectSecurely(t, port, leaf)
    peer.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-User-ID: root\r\nClient-Cert: :Zm9yZ2Vk:\r\n\r\n`)
    return (await peer.reply()).start.split(' ')[1]!
  }
  assert.equal(await ask(stock, '/stock/1'), '200')
  assert.equal(service.received[0]!.headers['x-user-id'], 'shop')
  assert.match(String(service.received[0]!.headers['client-cert']), /^:MII[\w+/=]+:$/)
  assert.equal(await ask(partner, '/'), '200')
  assert.equal(service.received[1]!.headers['x-user-id'], 'partner')
  assert.equal(await ask(partner, '/stock/1'), '403')
  assert.equal(await ask(clients.issueClient(), '/'), '401')
  await assert.rejects(ask(revoked, '/'))
  await assert.rejects(ask(new Authority().issueClient(), '/'))
  assert.equal(service.received.length, 2)
})
