import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { authority, replaceLeaf, writeLeaf } from '../../test/support/tls.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { CertificateFiles } from './certificate-files.ts'

/** Nothing changes while it watches. */
const unmoved: FileWatcher = { watch: () => () => {}, close() {} }

test('a change between the first read and the start of watching is noticed', (t) => {
  const clock = new ManualClock(Date.now())
  const [first, second] = [authority.issue(), authority.issue()]
  const places = [writeLeaf(t, first), writeLeaf(t, first)]
  const files = new CertificateFiles({ pairs: places, files: unmoved, clock, log: createMemoryLogger().log })
  assert.deepEqual(files.current(), [first, first])
  replaceLeaf(places[1]!, second)
  let calls = 0
  const end = files.onChange(() => (calls += 1))
  assert.equal(calls, 1)
  assert.deepEqual(files.current(), [first, second])
  end()
})

test('a client certificate is not used as a server certificate', (t) => {
  const { log, lines } = createMemoryLogger()
  const places = [writeLeaf(t, authority.issueClient())]
  const clock = new ManualClock(Date.now())
  assert.deepEqual(new CertificateFiles({ pairs: places, files: unmoved, clock, log }).current(), [])
  assert.match(JSON.stringify(lines), /is not for TLS servers/)
})
