import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { startCommand } from '../support/command.ts'
import { answering, startConfigured } from '../support/configured.ts'

const writable = (body: string): string => answering(body, '', true)

test('PUT /config takes effect in all workers, and a killed process restarts with what was confirmed', async (t) => {
  const { ask, file, answer, command } = await startConfigured(t, writable('one'))
  const put = async (body: string, query = '') => {
    const { etag } = (await ask('/config')).headers
    const headers = { 'Content-Type': 'application/yaml', 'If-Match': String(etag) }
    assert.equal((await ask(`/config${query}`, { method: 'PUT', body: writable(body), headers })).status, 200)
    // The connections are spread over the workers.
    for (let i = 0; i < 8; i++) assert.equal(await answer(), body)
  }
  await put('two')
  await put('three', '?confirm=1h')
  command.child.kill('SIGKILL')
  await once(command.child, 'exit')
  assert.equal(await readFile(file, 'utf8'), writable('two'))
  const { port } = await startCommand(t, file)
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'two')
})
