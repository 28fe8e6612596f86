import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { createManualWatcher } from '../../test/support/manual-watcher.ts'
import { replaceLeaf, writeLeaf } from '../../test/support/tls.ts'
import { authority } from '../../test/support/tls-service.ts'
import { parseConfig } from '../config/parse.ts'
import { readPolicies } from '../config/load-policies.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import { TopicHandlers } from '../core/threads.ts'
import { type ChangedTls, serviceTlsChangedTopic } from '../tls/service-tls-topic.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ServiceTlsFiles } from './service-tls-files.ts'

type Tls = NonNullable<NonNullable<GatewayInput['services']>[string]['tls']>

/** A client certificate and its key in files. */
function leafFiles(t: TestContext, commonName: string) {
  return writeLeaf(t, authority.issueClient({ subject: { commonName } }))
}

async function configOf(services: Readonly<Record<string, Tls>>) {
  const each = (tls: Tls) => ({ instances: ['https://127.0.0.1:1'], tls })
  const value = { services: Object.fromEntries(Object.entries(services).map(([name, tls]) => [name, each(tls)])) }
  return parseConfig(value, await readPolicies(value, 'sallyport.yaml'))
}

async function start(services: Readonly<Record<string, Tls>>) {
  const { log } = createMemoryLogger()
  const answers = new TopicHandlers(log)
  const reported: ChangedTls[] = []
  answers.on(serviceTlsChangedTopic, (changed) => {
    reported.push(changed)
    return null
  })
  const watcher = createManualWatcher()
  const checked: string[] = []
  const checker = { exchangeTls: (service: string) => void checked.push(service) }
  const options = { checker, files: watcher, answers, threads: answers, log }
  const files = new ServiceTlsFiles({ ...options, services: (await configOf(services)).services })
  files.start()
  return { files, watcher, reported, checked }
}

test('a new configuration changes the watched files', async (t) => {
  const [old, fresh] = [leafFiles(t, 'old'), leafFiles(t, 'fresh')]
  const { files, watcher, reported, checked } = await start({ a: old })
  files.configure(await configOf({ b: fresh }))
  assert.deepEqual(watcher.paths, [fresh.cert, fresh.key])
  assert.deepEqual([reported, checked], [[], []], 'what was just read is the same everywhere')
  const other = authority.issueClient({ subject: { commonName: 'other' } })
  replaceLeaf(fresh, other)
  watcher.change(fresh.cert)
  assert.deepEqual(checked, ['b'])
  assert.equal(reported.at(-1)?.services['b']?.key, other.key)
})

test('a change between reading a configuration and applying it is not missed', async (t) => {
  const fresh = leafFiles(t, 'fresh')
  const { files, reported, checked } = await start({})
  const config = await configOf({ b: fresh })
  const other = authority.issueClient({ subject: { commonName: 'other' } })
  replaceLeaf(fresh, other)
  files.configure(config)
  assert.equal(reported.at(-1)?.services['b']?.key, other.key)
  assert.deepEqual(checked, ['b'])
})

test('contents read for a service are dropped when the configuration no longer names the files', async (t) => {
  const [old, fresh] = [leafFiles(t, 'old'), leafFiles(t, 'fresh')]
  const { files, watcher, reported } = await start({ a: old, b: old })
  replaceLeaf(old, authority.issueClient({ subject: { commonName: 'second' } }))
  watcher.change(old.cert)
  const { services } = reported.at(-1)!
  assert.deepEqual(Object.keys(services), ['a', 'b'])
  files.configure(await configOf({ a: fresh }))
  const after = reported.at(-1)!
  assert.deepEqual(Object.keys(after.services), ['a'])
  assert.equal(after.services['a']?.files.cert, fresh.cert)
  assert.ok(after.version > 2)
  files.configure(await configOf({ a: fresh }))
  assert.equal(reported.at(-1), after, 'an equal one changes nothing')
})
