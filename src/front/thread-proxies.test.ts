import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../config/parse.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import { TopicHandlers } from '../core/threads.ts'
import { ReceivedFields } from '../http/received-fields.ts'
import { networksChangedTopic } from '../core/network-file-contents.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadProxies } from './thread-proxies.ts'

const PROXY = '10.0.0.1'

function configOf(input: GatewayInput) {
  return parseConfig(input, { value: input, chain: [], findings: [] })
}

/** As a configuration is once files are read. */
function withFile(file: string, networks: readonly string[]) {
  return { ...configOf({}), trustedProxies: [{ file, networks: [...networks] }] }
}

function start(config: ReturnType<typeof configOf>) {
  const { log } = createMemoryLogger()
  const answers = new TopicHandlers(log)
  let changes = 0
  const made = new ThreadProxies({ config, answers, threads: answers, changed: () => void changes++ })
  return {
    made,
    tell: (version: number, files: Readonly<Record<string, readonly string[]>>) =>
      answers.askAll(networksChangedTopic, { version, files }),
    changes: () => changes,
    clientOf: (set: (fields: ReceivedFields) => void): string => {
      const fields = new ReceivedFields()
      set(fields)
      return made.proxies.clientBehind(PROXY, 'http', fields).address
    },
  }
}

test('a new configuration changes the trusted proxies and their headers', () => {
  const { made, changes, clientOf } = start(configOf({ trustedProxies: [PROXY] }))
  const forwarded = (fields: ReceivedFields): void => {
    fields.forwarded = 'for=192.0.2.9'
    fields.forwardedFor = '192.0.2.1'
  }
  assert.equal(clientOf(forwarded), '192.0.2.1')
  made.configure(configOf({ trustedProxies: [PROXY], forwarding: 'forwarded' }))
  assert.equal(clientOf(forwarded), '192.0.2.9')
  made.configure(configOf({ trustedProxies: [PROXY], clientHeader: 'X-Real-IP' }))
  const named = (fields: ReceivedFields): void => void (fields.claims = 'X-Real-IP: 192.0.2.5\r\n')
  assert.equal(clientOf(named), '192.0.2.5')
  assert.equal(made.proxies.has(PROXY), true)
  made.configure(configOf({ trustedProxies: ['10.0.0.2'] }))
  assert.deepEqual([made.proxies.has(PROXY), made.proxies.has('10.0.0.2')], [false, true])
  assert.equal(changes(), 3, 'the client of a connection can change')
})

test('the current content of a file takes precedence over its content at load time', async () => {
  const { made, tell } = start(withFile('/a', ['10.0.0.1']))
  await tell(1, { '/a': ['10.0.0.2'], '/b': ['10.0.0.3'] })
  assert.deepEqual([made.proxies.has('10.0.0.1'), made.proxies.has('10.0.0.2')], [false, true])
  made.configure(withFile('/b', ['10.0.0.4']))
  assert.deepEqual([made.proxies.has('10.0.0.3'), made.proxies.has('10.0.0.4')], [true, false])
  made.configure(withFile('/c', ['10.0.0.5']))
  assert.equal(made.proxies.has('10.0.0.5'), true)
  await tell(2, { '/c': ['10.0.0.6'] })
  await tell(1, { '/c': ['10.0.0.7'] })
  assert.deepEqual([made.proxies.has('10.0.0.6'), made.proxies.has('10.0.0.7')], [true, false], 'a late entry is old')
})
