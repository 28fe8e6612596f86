import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { cleanUp } from '../support/cleanup.ts'
import { start } from '../support/command.ts'
import { startDns, startPebble, type PebbleOptions } from '../support/pebble.ts'
import { connectTo, freePorts, startRedis, until } from '../support/redis.ts'
import { startService } from '../support/service.ts'

const HOST = '127.0.0.1'
const NAME = 'shop.test'

async function setUp(t: TestContext, file: string, options: PebbleOptions) {
  const pebble = await startPebble(t, await startDns(t), options)
  const service = await startService(t, (_, response) => void response.end('the shop'))
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-setup-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, pebble.ca)
  const yaml = await readFile(new URL(`../../examples/tls/${file}`, import.meta.url), 'utf8')
  const env = { NODE_EXTRA_CA_CERTS: ca, DIRECTORY: pebble.directory, DOMAIN: NAME, SHOP_URL: service.url }
  const launch = (own: Readonly<Record<string, string>>) => start(t, yaml, { env: { ...env, ...own } })
  return { pebble, launch }
}

/** The reply to a client that trusts the CA and the serial number of the certificate; null without a reply. */
async function ask(port: number, ca: string): Promise<{ text: string; serial: string } | null> {
  const asked = request({ host: HOST, port, servername: NAME, ca, agent: false, headers: { Host: NAME } })
  asked.end()
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const socket = response.socket as TLSSocket
    const serial = socket.getPeerX509Certificate()!.serialNumber
    await once(response, 'end')
    return { text, serial }
  } catch {
    return null
  }
}

test('examples/tls/acme-one-machine.yaml gets a certificate on port 443', async (t) => {
  const [port] = await freePorts(1)
  const { pebble, launch } = await setUp(t, 'acme-one-machine.yaml', { tlsPort: port! })
  await launch({ HTTPS: `${HOST}:${port}` })
  const root = await pebble.root()
  await until('a certificate', async () => (await ask(port!, root)) !== null)
  assert.equal((await ask(port!, root))!.text, 'the shop')
})

test('examples/tls/acme-replicas.yaml gets one certificate for two replicas, whichever of them the CA connects to', async (t) => {
  const [http, first, other, second] = await freePorts(4)
  const { pebble, launch } = await setUp(t, 'acme-replicas.yaml', { httpPort: http! })
  const redis = await startRedis(t)
  const shared = { SECRETS: 's'.repeat(40), REDIS_URL: redis.url }
  // Nobody orders before both are listening; then either does, and the CA may connect to the other one.
  const client = connectTo(t, redis)
  const lock = `sallyport:acme:{${NAME}}:lock`
  await client.set(lock, 'the test')
  await launch({ ...shared, HTTP: `${HOST}:${other}`, HTTPS: `${HOST}:${second}` })
  await launch({ ...shared, HTTP: `${HOST}:${http}`, HTTPS: `${HOST}:${first}` })
  await client.del(lock)
  const root = await pebble.root()
  const both = async () => [await ask(first!, root), await ask(second!, root)]
  await until('a certificate', async () => (await both()).every((each) => each !== null))
  const [a, b] = await both()
  assert.deepEqual([a!.text, b!.text], ['the shop', 'the shop'])
  assert.equal(a!.serial, b!.serial)
})
