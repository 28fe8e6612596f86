/**
 * Loaded before every test file: one that is done and still holds something open fails, and says what, instead of hanging;
 * and processes that it started end with it, however it ends. A pid that was not there yet when a test read it is 0, and
 * would end the whole run.
 */
import { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

/** Looks, and milliseconds between them: hooks of the files, which come after this one, may take their time. */
const LOOKS = 20
const BETWEEN = 500

const isTestFile = process.env['NODE_TEST_CONTEXT'] !== undefined && /\.test\.m?[jt]s$/.test(process.argv[1] ?? '')

if (isTestFile && isMainThread) {
  after(() => look(LOOKS))
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
  const kill = process.kill.bind(process)
  process.kill = (pid, signal) => {
    if (pid > 0) return kill(pid, signal)
    throw new Error(`process.kill(${pid}) is for a whole group of processes: name one process`)
  }
  // Without this the process would be gone at once, as when the runner has waited long enough.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** It is over as soon as nothing keeps the process but this. */
function look(left: number): void {
  setTimeout(() => {
    if (left > 1) return look(left - 1)
    console.error(`${process.argv[1]} is done but left open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(1)
  }, BETWEEN).unref()
}
