import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { Metrics } from '../core/metrics.ts'
import { residentMemory } from './memory.ts'
import { watchSystem } from './process-metrics.ts'

/** The names that are watched. */
function watched(folder: string): string[] {
  const names: string[] = []
  const metrics: Pick<Metrics, 'watch'> = {
    watch(metric) {
      names.push(typeof metric === 'string' ? metric : metric.name)
      return () => {}
    },
  }
  watchSystem(metrics, folder)
  return names.filter((name) => name.endsWith('_fds'))
}

test('open files are reported if /proc is mounted, and everything else without it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  t.after(() => rm(folder, { recursive: true }))
  assert.deepEqual(watched(folder), [])
  await writeFile(join(folder, 'limits'), 'Max open files            1024                 524288               files\n')
  assert.deepEqual(watched(folder), ['process_open_fds', 'process_max_fds'])
})

test('resident memory is 0 if the system does not report it', (t) => {
  assert.ok(residentMemory() > 0)
  t.mock.method(process.memoryUsage, 'rss', () => {
    throw new Error('ENOENT')
  })
  assert.equal(residentMemory(), 0)
})
