import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { GatewayInput } from '../../src/gateway.ts'
import { cleanUp } from '../support/cleanup.ts'
import { startGateway } from '../support/gateway.ts'
import { scrape } from '../support/metrics.ts'
import { type Pebble, startDns, startPebble } from '../support/pebble.ts'
import { freePorts, until } from '../support/redis.ts'

const HOST = '127.0.0.1'
const ISSUED = 'A certificate was issued'
const [OLD, NEXT] = ['o'.repeat(32), 'n'.repeat(32)]

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-acme-'))
  cleanUp(t, () => rm(folder, { recursive: true, maxRetries: 5 }))
  return folder
}

/** The serial number of the certificate for a name, null without one. */
async function shown(port: number, ca: string, servername: string): Promise<string | null> {
  const socket = connect({ port, host: HOST, servername, ca })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerX509Certificate()!.serialNumber
  } catch {
    return null
  } finally {
    socket.destroy()
  }
}

/** A gateway that gets certificates for names from a CA. */
async function startSecured(t: TestContext) {
  const [port, plain] = await freePorts(2)
  const pebble: Pebble = await startPebble(t, await startDns(t), { tlsPort: port! })
  const folder = await temporaryFolder(t)
  const configOf = (domains: readonly string[], more: GatewayInput = {}, acme: object = {}): GatewayInput => ({
    listeners: [
      {
        address: `${HOST}:${port}`,
        tls: { acme: { domains: [...domains], folder, directory: { url: pebble.directory, ca: pebble.ca }, ...acme } },
      },
      { address: `${HOST}:${plain}` },
    ],
    admin: false,
    endpoints: { docs: false, openapi: false },
    drainTimeout: '1s',
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 200 } }],
    ...more,
  })
  const { gateway, log } = await startGateway(t, configOf(['one.test'], { secrets: [OLD] }))
  await log.line({ message: ISSUED })
  const root = await pebble.root()
  const serial = (name: string): Promise<string | null> => shown(port!, root, name)
  await until('a certificate', async () => (await serial('one.test')) !== null)
  const issued = (): unknown[] =>
    log.lines.filter(({ message }) => message === ISSUED).map(({ certificate }) => certificate)
  return { gateway, log, pebble, plain: plain!, configOf, serial, issued }
}

test('a name added by a reload gets a certificate, and the others keep theirs', async (t) => {
  const { gateway, log, configOf, serial, issued, plain } = await startSecured(t)
  const before = await serial('one.test')
  await gateway.reload(configOf(['one.test', 'two.test'], { secrets: [OLD] }))
  assert.equal(await serial('one.test'), before)
  await log.line({ message: ISSUED, certificate: 'two.test' })
  await until('the new certificate', async () => (await serial('two.test')) !== null)
  assert.equal(await serial('one.test'), before)
  assert.deepEqual(issued(), ['one.test', 'two.test'])
  const metrics = await scrape(plain)
  assert.equal(metrics.sum('sallyport_acme_last_order_successful', { name: 'two.test' }), 1)
  assert.equal(metrics.sum('sallyport_acme_orders_total', { name: 'two.test', outcome: 'issued' }), 1)
  // A removed one is neither used nor reported.
  await gateway.reload(configOf(['two.test'], { secrets: [OLD] }))
  assert.notEqual(await serial('two.test'), null)
  assert.equal(await serial('one.test'), null)
  const after = await scrape(plain)
  for (const name of [
    'sallyport_acme_last_order_successful',
    'sallyport_certificate_expiry_timestamp_seconds',
  ] as const)
    assert.deepEqual(
      after.all(name).map(({ labels }) => labels),
      [{ name: 'two.test' }],
    )
  // A stored certificate is used as soon as its name returns.
  await gateway.reload(configOf(['two.test', 'one.test'], { secrets: [OLD] }))
  assert.equal(await serial('one.test'), before)
  assert.deepEqual(issued(), ['one.test', 'two.test'])
})

test('secrets are rotated, and secrets that cannot decrypt stored certificates are rejected', async (t) => {
  const { gateway, configOf, serial, issued, log } = await startSecured(t)
  const before = await serial('one.test')
  await assert.rejects(gateway.reload(configOf(['one.test'], { secrets: [NEXT] })), {
    message:
      'secrets: the certificate of one.test in the store cannot be decrypted with them: add the secret that it was encrypted with after the current one',
  })
  assert.equal(await serial('one.test'), before)
  await gateway.reload(configOf(['one.test'], { secrets: [NEXT, OLD] }))
  assert.equal(await serial('one.test'), before)
  assert.deepEqual(issued(), ['one.test'])
  assert.deepEqual(
    log.lines.filter(({ level, message }) => level === 'error' && !String(message).includes('refused')),
    [],
  )
})

test('after a change of the store, the old certificate is used until there is a new one', async (t) => {
  const { gateway, pebble, configOf, serial } = await startSecured(t)
  const before = await serial('one.test')
  const other = await temporaryFolder(t)
  await pebble.kill()
  await gateway.reload(configOf(['one.test'], { secrets: [OLD] }, { folder: other }))
  assert.equal(await serial('one.test'), before)
  await gateway.reload(configOf(['one.test'], { secrets: [OLD] }))
  assert.equal(await serial('one.test'), before)
})
