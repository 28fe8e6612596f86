/**
 * Loaded before every test file: one that is done and still holds something open fails, and says what, instead of hanging;
 * and processes that it started end with it, however it ends.
 */
import { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

const GRACE = 2_000

const isTestFile = process.env['NODE_TEST_CONTEXT'] !== undefined && process.argv[1]?.endsWith('.test.ts')

if (isTestFile && isMainThread) {
  after(() => {
    setTimeout(() => {
      console.error(`${process.argv[1]} is done but left open: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit(1)
    }, GRACE).unref()
  })
  const children = new Set<ChildProcess>()
  subscribe('child_process', (message) => {
    const child: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'process') : null
    if (!(child instanceof ChildProcess)) return
    children.add(child)
    child.once('exit', () => children.delete(child))
  })
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL')
  })
  // Without this the process would be gone at once, as when the runner has waited long enough.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}
