import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { createManualWatcher } from '../../test/support/manual-watcher.ts'
import { temporaryFolder } from '../../test/support/redis.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { TopicHandlers } from '../core/threads.ts'
import { type NetworkFileContents, networksChangedTopic, networksTopic } from '../core/network-file-contents.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { NetworkFiles } from './network-files.ts'

function configOf(trustedProxies: GatewayConfig['trustedProxies']) {
  return { trustedProxies, policies: {}, routes: [] }
}

async function start(t: TestContext, held: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder(t)
  const pathOf = (name: string): string => join(folder, name)
  const write = (name: string, text: string): void => writeFileSync(pathOf(name), text)
  const entry = (name: string, networks: readonly string[]) => ({ file: pathOf(name), networks: [...networks] })
  for (const [name, text] of Object.entries(held)) write(name, text)
  const { log, lines } = createMemoryLogger()
  const answers = new TopicHandlers(log)
  const reported: NetworkFileContents[] = []
  answers.on(networksChangedTopic, (now) => {
    reported.push(now)
    return null
  })
  const watcher = createManualWatcher()
  const config = configOf(Object.entries(held).map(([name, text]) => entry(name, [text])))
  const files = new NetworkFiles({ config, files: watcher, answers, threads: answers, log })
  files.start()
  return { files, watcher, reported, lines, answers, write, entry, pathOf }
}

test('a new configuration changes the watched files', async (t) => {
  const { files, watcher, reported, write, entry, pathOf } = await start(t, { stays: '10.0.0.1', goes: '10.0.0.2' })
  write('comes', '10.0.0.3')
  files.configure(configOf(['192.0.2.0/24', entry('stays', ['10.0.0.1']), entry('comes', ['10.0.0.3'])]))
  assert.deepEqual(watcher.paths, [pathOf('stays'), pathOf('comes')])
  assert.deepEqual(reported.at(-1)?.files, { [pathOf('stays')]: ['10.0.0.1'], [pathOf('comes')]: ['10.0.0.3'] })
  write('comes', '10.0.0.4')
  watcher.change(pathOf('comes'))
  assert.deepEqual(reported.at(-1)?.files[pathOf('comes')], ['10.0.0.4'])
  files.configure(configOf([]))
  assert.deepEqual(watcher.paths, [])
  assert.deepEqual(reported.at(-1)?.files, {})
  assert.deepEqual(
    reported.map(({ version }) => version),
    [1, 2, 3],
  )
})

test('an equal configuration changes nothing', async (t) => {
  const { files, watcher, reported, answers, entry, pathOf } = await start(t, { stays: '10.0.0.1' })
  files.configure(configOf([entry('stays', ['10.0.0.1'])]))
  assert.deepEqual(reported, [])
  assert.deepEqual(watcher.paths, [pathOf('stays')])
  assert.deepEqual(await answers.askAll(networksTopic, null), [
    { version: 0, files: { [pathOf('stays')]: ['10.0.0.1'] } },
  ])
})

test('a change between reading a configuration and applying it is not missed', async (t) => {
  const { files, reported, write, entry, pathOf } = await start(t, {})
  write('comes', '10.0.0.9')
  files.configure(configOf([entry('comes', ['10.0.0.3'])]))
  assert.deepEqual(reported.at(-1)?.files, { [pathOf('comes')]: ['10.0.0.9'] })
})

test('nothing is watched after stop', async (t) => {
  const { files, watcher, entry } = await start(t, { stays: '10.0.0.1' })
  files.stop()
  files.configure(configOf([entry('stays', ['10.0.0.1'])]))
  assert.deepEqual(watcher.paths, [])
})
