import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { requestAdmin } from './support/admin.ts'
import { run, start, temporaryFile } from './support/command.ts'
import { startService } from './support/service.ts'

const preload = new URL('support/loaded-packages.ts', import.meta.url).href

test('a thread loads only the libraries that it uses', async (t) => {
  const service = await startService(t)
  const file = await temporaryFile(t, 'loaded.txt', '')
  const yaml = `
workers: 1
listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
services: { backend: { instances: ['${service.url}'], health: false } }
routes: [{ id: all, match: { path: /* }, service: backend }]
`
  const { command } = await start(t, yaml, { preload, env: { LOADED_PACKAGES: file } })
  const loadedBy = async (thread: string): Promise<string[]> => {
    const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(' '))
    return lines.filter(([name]) => name === thread).map(([, name = '']) => name)
  }
  const [main, worker] = [await loadedBy('main'), await loadedBy('worker-0')]
  assert.ok(main.includes('pino') && main.includes('commander'), main.join())
  assert.ok(worker.includes('pino') && worker.includes('zod'), worker.join())
  for (const unused of [
    'zod',
    'yaml',
    'fastify',
    'ioredis',
    'pino-pretty',
    'jose',
    'ajv',
    '@opentelemetry/api',
    '@bufbuild/protobuf',
  ])
    assert.ok(!main.includes(unused), `the main thread has loaded ${unused}`)
  for (const unused of [
    'yaml',
    'fastify',
    'ioredis',
    'pino-pretty',
    'ajv',
    'commander',
    '@opentelemetry/sdk-trace-base',
    '@bufbuild/protobuf',
    '@marcbachmann/cel-js',
    'openid-client',
  ])
    assert.ok(!worker.includes(unused), `the worker has loaded ${unused}`)
  // Operators send requests.
  const listening = command.log.find(({ message }) => message === 'Sallyport is listening')
  const port = Number(String(listening?.['admin']).split(':').at(-1))
  assert.equal((await requestAdmin(port, '/status')).status, 200)
  assert.ok((await loadedBy('main')).includes('fastify'))
})

test('the help of a command takes no library but that for the command line', async (t) => {
  for (const command of ['start', 'check', 'replay']) {
    const file = await temporaryFile(t, `${command}.txt`, '')
    const { code } = await run([command, '--help'], { preload, env: { LOADED_PACKAGES: file } })
    assert.deepEqual([code, await readFile(file, 'utf8')], [0, 'main commander\n'])
  }
})
