import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'

const program = new URL('support/logging-process.ts', import.meta.url).pathname

test('log lines of several threads do not mix, and none are lost on an abrupt exit', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { maxBuffer: 64 * 1024 * 1024 })
  const last = new Map<number, number>()
  for (const text of stdout.trimEnd().split('\n')) {
    const { threadId, i } = JSON.parse(text) as { threadId: number; i: number }
    assert.equal(i, (last.get(threadId) ?? -1) + 1)
    last.set(threadId, i)
  }
  assert.deepEqual([...last.values()], [499, 499, 499, 499])
})
