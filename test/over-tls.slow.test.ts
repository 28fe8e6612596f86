import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The rules for connections hold for encrypted ones as well. */
const files = ['backpressure', 'boundaries', 'bodyless', 'drain', 'long-lived', 'pipelining']

test(`the tests of ${files.join(', ')} pass with TLS clients`, async () => {
  // The test runner's own variables are not for another runner.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const paths = files.map((name) => new URL(`${name}.test.ts`, import.meta.url).pathname)
  const args = ['--test', '--test-isolation=none', '--test-reporter=tap', ...paths]
  const { stdout } = await run(process.execPath, args, {
    env: { ...inherited, TEST_SCHEME: 'https' },
    maxBuffer: 16 * 1024 * 1024,
  }).catch(({ stdout: told }: { stdout: string }) => assert.fail(told))
  assert.match(stdout, /^# fail 0$/m)
  assert.match(stdout, /^# pass [1-9]\d/m)
})
