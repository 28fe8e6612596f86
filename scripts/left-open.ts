/**
 * Loaded before every test file: a file that is done but still holds something open fails and reports it instead of hanging, and processes
 * that it started end with it, however it ends. A pid that did not exist yet when a test read it is 0, and killing it would end the whole
 * run.
 */
import { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

/** Number of looks, and milliseconds between them: hooks of the files, which run after this one, may take a while. */
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
    throw new Error(`process.kill(${pid}) signals a whole group of processes: use the id of one process`)
  }
  // Without this, the process would exit without cleanup, e.g. when the runner has waited long enough.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** Done as soon as only this timer keeps the process alive. */
function look(left: number): void {
  setTimeout(() => {
    if (left > 1) return look(left - 1)
    console.error(
      `${process.argv[1]} has finished, but these are still open: ${process.getActiveResourcesInfo().join(', ')}`,
    )
    process.exit(1)
  }, BETWEEN).unref()
}
