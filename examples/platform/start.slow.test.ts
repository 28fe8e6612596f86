import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serviceNames } from './platform.ts'

const JWT_SECRET = 'a secret of at least thirty-two characters'

const programs = { 'start.ts': new URL('start.ts', import.meta.url), 'serve.ts': new URL('serve.ts', import.meta.url) }

type Arguments = readonly [keyof typeof programs, ...string[]]

function start([program, ...rest]: Arguments, env: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [fileURLToPath(programs[program]), ...rest], { env })
}

for (const [args, count] of [
  [['start.ts'], 8],
  // Starts the same as the other program, of which it takes one.
  [['serve.ts', serviceNames[0]], 1],
] as const) {
  test(`${args.join(' ')} prints one line per instance, responds there, and exits with 0 on SIGTERM`, async (t) => {
    const child = start([...args, '--port', '0'], { JWT_SECRET })
    t.after(() => child.kill('SIGKILL'))
    let left: number = count
    for await (const line of createInterface(child.stdout)) {
      const [, instance, url = ''] = /^(\S+-service-[12]) listens on (\S+)$/.exec(line) ?? []
      assert.equal((await fetch(`${url}/health`)).headers.get('x-instance'), instance)
      if (--left === 0) break
    }
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
  })
}

for (const [args, env, told] of [
  [['start.ts', '--port', '0'], {}, /^JWT_SECRET must have at least 32 characters/],
  [['start.ts', '--port', '9'], { JWT_SECRET }, /^--port takes only 0/],
  [['serve.ts'], { JWT_SECRET }, /^Which service\? Name one of: user-service, /],
  [['serve.ts', 'users'], { JWT_SECRET }, /^Which service\?/],
  [['serve.ts', 'user-service'], {}, /^JWT_SECRET must have at least 32 characters/],
] as const) {
  test(`[${args.join(' ')}] with ${Object.keys(env).length} variables exits with 1 and explains what to do`, async () => {
    const child = start(args, env)
    const [said, exit] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.deepEqual(exit, [1, null])
    assert.match(said, told)
  })
}
