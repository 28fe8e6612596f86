import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('start.ts', import.meta.url))
const JWT_SECRET = 'a secret of at least thirty-two characters'

test('the platform prints one line an instance, answers there, and ends with 0 on SIGTERM', async (t) => {
  const child = start(['--port', '0'], { JWT_SECRET })
  t.after(() => child.kill('SIGKILL'))
  const urls = []
  for await (const line of createInterface(child.stdout)) {
    const [, instance, url = ''] = /^(\S+) listens on (\S+)$/.exec(line) ?? []
    assert.equal((await fetch(`${url}/health`)).headers.get('x-instance'), instance)
    if (urls.push(url) === 8) break
  }
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
})

test('without a secret, or with another port, it ends with 1 and says what to do', async () => {
  assert.match(await failure(['--port', '0'], {}), /^JWT_SECRET must have at least 32 characters/)
  assert.match(await failure(['--port', '9'], { JWT_SECRET }), /^--port takes only 0/)
})

function start(args: readonly string[], environment: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [script, ...args], { env: environment })
}

async function failure(args: readonly string[], environment: Record<string, string>): Promise<string> {
  const child = start(args, environment)
  const [said, exit] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.deepEqual(exit, [1, null])
  return said
}
