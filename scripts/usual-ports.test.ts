import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import test from 'node:test'
import { promisify } from 'node:util'

// The npm scripts load it into every process; a test that is run on its own has to do so itself.
await import(import.meta.resolve('./usual-ports.js'))

test('no test can listen on or connect to a port that the demo may use', () => {
  assert.throws(() => createServer().listen(9000, '127.0.0.1'), /a test listens on port 9000/)
  assert.throws(() => createServer().listen({ port: 8000, host: '127.0.0.1' }), /port 8000/)
  assert.throws(() => connect(8001, '127.0.0.1'), /a test connects to port 8001/)
  assert.throws(() => connect({ port: 6379, host: '127.0.0.1' }), /port 6379/)
})

test('nor can its child processes', async () => {
  const program = "require('node:net').createServer().listen(9000, '127.0.0.1').close()"
  const options = [`--import=${import.meta.resolve('./usual-ports.js')}`, '-e', program]
  await assert.rejects(promisify(execFile)(process.execPath, options), /a test listens on port 9000/)
})

test('any other port is available', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
})
