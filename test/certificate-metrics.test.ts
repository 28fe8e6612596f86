import assert from 'node:assert/strict'
import test from 'node:test'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { authority, replaceLeaf, tlsListeners, writeLeaf } from './support/tls.ts'

const METRIC = 'sallyport_certificate_expiry_timestamp_seconds'
const DAY = 24 * 3600

/** The time in that many days, in whole seconds like the dates of certificates. */
function inDays(days: number): number {
  return Math.floor(Date.now() / 1000) + days * DAY
}

test('the expiry of each certificate is a metric labeled by its first name, with the earliest of several', async (t) => {
  const issue = (names: string[], end: number) => writeLeaf(t, authority.issue({ names, notAfter: end * 1000 }))
  const [soon, late, other] = [inDays(1), inDays(2), inDays(3)]
  const files = [issue(['a.test', 'b.test'], late), issue(['a.test'], soon), issue(['*.c.test'], other)]
  const { port, log } = await startGateway(t, {
    listeners: [
      { address: '127.0.0.1:0' },
      ...tlsListeners(files.slice(0, 2)).listeners,
      ...tlsListeners(files.slice(2)).listeners,
    ],
  })
  const report = async () =>
    (await scrape(port)).all(METRIC).map(({ labels, value }) => [labels['name'], value] as const)
  assert.deepEqual(await report(), [
    ['a.test', soon],
    ['*.c.test', other],
  ])
  // The removed name is no longer reported.
  const renewed = inDays(90)
  replaceLeaf(files[2]!, authority.issue({ names: ['d.test'], notAfter: renewed * 1000 }))
  await log.line({ message: 'A certificate was replaced: new connections get the new one' })
  assert.deepEqual(await report(), [
    ['a.test', soon],
    ['d.test', renewed],
  ])
})

test('a gateway without TLS has no such metric', async (t) => {
  const { port } = await startGateway(t, {})
  assert.deepEqual((await scrape(port)).all(METRIC), [])
})
