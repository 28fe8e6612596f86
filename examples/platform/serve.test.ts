import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serviceNames } from './platform.ts'

const script = fileURLToPath(new URL('serve.ts', import.meta.url))
const JWT_SECRET = 'a secret of at least thirty-two characters'

function start(args: readonly string[], environment: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [script, ...args], { env: environment })
}

for (const name of serviceNames) {
  test(`the ${name} alone says where it listens, answers there, and ends with 0 on SIGTERM`, async (t) => {
    const child = start([name, '--port', '0'], { JWT_SECRET })
    t.after(() => child.kill('SIGKILL'))
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const [, instance, url = ''] = /^(\S+) listens on (\S+)$/.exec(line) ?? []
    assert.equal(instance, `${name}-1`)
    assert.equal((await fetch(`${url}/health`)).headers.get('x-instance'), instance)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
  })
}

for (const [args, environment, told] of [
  [[], { JWT_SECRET }, /^Which service\? Name one of: user-service, /],
  [['users'], { JWT_SECRET }, /^Which service\?/],
  [['user-service'], {}, /^JWT_SECRET must have at least 32 characters/],
] as const) {
  test(`[${args.join(' ')}] with ${Object.keys(environment).length} variables is told what to do`, async () => {
    const child = start(args, environment)
    const [said, exit] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.deepEqual(exit, [1, null])
    assert.match(said, told)
  })
}
