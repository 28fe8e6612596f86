import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { SignallingClock } from '../../test/support/signalling-clock.ts'
import { createLineLogger } from '../telemetry/logger.ts'
import { watchFiles } from './watch-files.ts'

const SETTLE = 250
const LOOK = 10_000

/** A watcher in a folder of its own, on a clock that says when something waits for it. */
class Watching {
  readonly folder: string
  readonly clock = new SignallingClock()
  readonly lines: string[] = []
  readonly watcher

  constructor(t: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
    const { clock } = this
    const log = createLineLogger('info', clock, (line) => void this.lines.push(line))
    this.watcher = watchFiles({ clock, log })
    t.after(() => {
      this.watcher.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** Counts how often the files change; `after` resolves with the count when it has grown by what `change` did. */
  watch(...names: string[]) {
    let count = 0
    let report = (): void => {}
    const stop = this.watcher.watch(
      names.map((name) => this.path(name)),
      () => {
        count += 1
        report()
      },
    )
    const grown = (): Promise<void> => new Promise((resolve) => void (report = resolve))
    return {
      stop,
      count: () => count,
      /** Resolves at the next report. */
      next: grown,
      /** The system reports the change, and it has settled. */
      after: async (change: () => void): Promise<number> => {
        const event = this.clock.armed()
        const done = grown()
        change()
        await event
        this.clock.advance(SETTLE)
        await done
        return count
      },
      /** The change is not reported. */
      afterLook: async (change: () => void): Promise<number> => {
        const done = grown()
        change()
        this.clock.advance(LOOK)
        await done
        return count
      },
    }
  }
}

test('writing, appending to, truncating, deleting and recreating a file are each reported', async (t) => {
  const watching = new Watching(t)
  const file = watching.path('a.pem')
  writeFileSync(file, 'one')
  const watched = watching.watch('a.pem')
  assert.equal(await watched.after(() => writeFileSync(file, 'two')), 1)
  assert.equal(await watched.after(() => appendFileSync(file, '!')), 2)
  assert.equal(await watched.after(() => truncateSync(file)), 3)
  assert.equal(await watched.after(() => unlinkSync(file)), 4)
  assert.equal(await watched.after(() => writeFileSync(file, 'two')), 5)
})

test('every replacement by rename is reported, not only the first', async (t) => {
  const watching = new Watching(t)
  writeFileSync(watching.path('a.pem'), 'version 0')
  const watched = watching.watch('a.pem')
  for (const version of [1, 2, 3]) {
    const replace = (): void => {
      writeFileSync(watching.path('.a.pem.new'), `version ${version}`)
      renameSync(watching.path('.a.pem.new'), watching.path('a.pem'))
    }
    assert.equal(await watched.after(replace), version)
  }
})

test('a ConfigMap swap is reported once for all files', async (t) => {
  const watching = new Watching(t)
  const fill = (version: string): void => {
    mkdirSync(watching.path(version))
    for (const name of ['tls.crt', 'tls.key']) writeFileSync(watching.path(version, name), `${name} ${version}`)
  }
  const swapTo = (version: string, before: string): void => {
    fill(version)
    symlinkSync(version, watching.path('..data_tmp'))
    renameSync(watching.path('..data_tmp'), watching.path('..data'))
    rmSync(watching.path(before), { recursive: true })
  }
  fill('..v1')
  symlinkSync('..v1', watching.path('..data'))
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), watching.path(name))
  const watched = watching.watch('tls.crt', 'tls.key')
  assert.equal(await watched.after(() => swapTo('..v2', '..v1')), 1)
  assert.equal(await watched.after(() => swapTo('..v3', '..v2')), 2)
})

test('a change of the target of a symbolic link elsewhere is reported', async (t) => {
  const watching = new Watching(t)
  mkdirSync(watching.path('archive'))
  mkdirSync(watching.path('live'))
  writeFileSync(watching.path('archive', 'cert1.pem'), 'one')
  symlinkSync('../archive/cert1.pem', watching.path('live', 'cert.pem'))
  const watched = watching.watch('live/cert.pem')
  assert.equal(await watched.afterLook(() => writeFileSync(watching.path('archive', 'cert1.pem'), 'two')), 1)
  // By now it is known where the link leads.
  assert.equal(await watched.after(() => writeFileSync(watching.path('archive', 'cert1.pem'), 'three')), 2)
})

test('a deleted and recreated folder is watched again', async (t) => {
  const watching = new Watching(t)
  const fill = (content: string): void => {
    mkdirSync(watching.path('tls'))
    writeFileSync(watching.path('tls', 'a.pem'), content)
  }
  fill('one')
  const watched = watching.watch('tls/a.pem')
  assert.equal(await watched.after(() => rmSync(watching.path('tls'), { recursive: true })), 1)
  assert.equal(await watched.afterLook(() => fill('two')), 2)
  assert.equal(await watched.after(() => writeFileSync(watching.path('tls', 'a.pem'), 'three')), 3)
  // Another folder of the same name, while nobody looked.
  const exchange = (): void => {
    renameSync(watching.path('tls'), watching.path('old'))
    fill('four')
  }
  assert.equal(await watched.after(exchange), 4)
  assert.equal(await watched.after(() => writeFileSync(watching.path('tls', 'a.pem'), 'five')), 5)
})

test('a file is reported when its missing folder appears', async (t) => {
  const watching = new Watching(t)
  const watched = watching.watch('later/a.pem')
  const fill = (): void => {
    mkdirSync(watching.path('later'))
    writeFileSync(watching.path('later', 'a.pem'), 'one')
  }
  assert.equal(await watched.afterLook(fill), 1)
})

test('only watchers of changed files are notified, and other files in the folder are ignored', async (t) => {
  const watching = new Watching(t)
  const names = Array.from({ length: 50 }, (_, i) => `${i}.pem`)
  for (const name of names) writeFileSync(watching.path(name), 'one')
  const all = watching.watch(...names)
  const first = watching.watch('0.pem')
  const last = watching.watch('49.pem')
  const changeLast = (): void => {
    writeFileSync(watching.path('access.log'), 'a line')
    writeFileSync(watching.path('0.pem'), 'one')
    writeFileSync(watching.path('49.pem'), 'two')
  }
  assert.equal(await last.after(changeLast), 1)
  assert.deepEqual([all.count(), first.count()], [1, 0])
})

test('a log in the folder that is written all the time neither delays the check nor causes one', async (t) => {
  const watching = new Watching(t)
  const { clock } = watching
  for (const name of ['access.log', 'a.pem']) writeFileSync(watching.path(name), '')
  const watched = watching.watch('a.pem')
  const logged = watch(watching.folder)
  t.after(() => logged.close())
  /** The system has reported the change, to the watcher first. Each append is one event. */
  const append = async (name: string): Promise<void> => {
    const reported = once(logged, 'change')
    appendFileSync(watching.path(name), 'a line')
    assert.deepEqual(await reported, ['change', name])
  }
  const { pending } = clock
  await append('access.log')
  assert.equal(clock.pending, pending)
  await append('a.pem')
  clock.advance(SETTLE - 1)
  await append('access.log')
  const done = watched.next()
  clock.advance(1)
  await done
  assert.equal(watched.count(), 1)
})

test('a stopped watcher is not notified, and stopping the last one stops everything', async (t) => {
  const watching = new Watching(t)
  const write = (content: string) => (): void => writeFileSync(watching.path('a.pem'), content)
  write('one')()
  const first = watching.watch('a.pem')
  const second = watching.watch('a.pem')
  first.stop()
  assert.equal(await second.after(write('two')), 1)
  assert.equal(first.count(), 0)
  second.stop()
  assert.equal(watching.clock.pending, 0)
  const third = watching.watch('a.pem')
  assert.equal(await third.after(write('three')), 1)
  watching.watcher.close()
  assert.equal(watching.clock.pending, 0)
})

test('successive changes are reported once they settle', async (t) => {
  const watching = new Watching(t)
  const watched = watching.watch('a.pem')
  const change = (): void => {
    for (const part of ['a', 'b', 'c']) appendFileSync(watching.path('a.pem'), part)
  }
  assert.equal(await watched.after(change), 1)
})

test('a change during a check causes another check', async (t) => {
  const watching = new Watching(t)
  const second = watching.watch('b.pem')
  const stop = watching.watcher.watch([watching.path('a.pem')], () => {
    writeFileSync(watching.path('b.pem'), 'one')
    // The check that reports the first file has not ended yet.
    watching.clock.advance(LOOK)
  })
  assert.equal(await second.afterLook(() => writeFileSync(watching.path('a.pem'), 'one')), 1)
  stop()
})

test('a failing watcher is logged, and the others are still notified', async (t) => {
  const watching = new Watching(t)
  watching.watcher.watch([watching.path('a.pem')], () => {
    throw new Error('no')
  })
  const watched = watching.watch('a.pem')
  assert.equal(await watched.after(() => writeFileSync(watching.path('a.pem'), 'one')), 1)
  assert.match(watching.lines.join(), /Files have changed, and the change could not be handled/)
})

test('a folder instead of a file, and a dangling link, are awaited', async (t) => {
  const watching = new Watching(t)
  mkdirSync(watching.path('a.pem'))
  symlinkSync('nowhere', watching.path('b.pem'))
  const watched = watching.watch('a.pem', 'b.pem')
  const replace = (): void => {
    rmSync(watching.path('a.pem'), { recursive: true })
    writeFileSync(watching.path('a.pem'), 'one')
  }
  assert.equal(await watched.after(replace), 1)
  assert.equal(await watched.after(() => writeFileSync(watching.path('nowhere'), 'one')), 2)
})

test('a file with the name of its folder does not end the watch', async (t) => {
  const watching = new Watching(t)
  const { clock, folder } = watching
  const watched = watching.watch('a.pem')
  const seen = watch(folder)
  t.after(() => seen.close())
  const { pending } = clock
  const reported = once(seen, 'change')
  writeFileSync(watching.path(basename(folder)), '')
  await reported
  assert.equal(clock.pending, pending + 1, 'a check is due')
  const changed = watched.next()
  writeFileSync(watching.path('a.pem'), 'one')
  clock.advance(SETTLE)
  await changed
  assert.equal(watched.count(), 1)
})

test('an event about what can no longer be reached causes a check', async (t) => {
  const watching = new Watching(t)
  mkdirSync(watching.path('tls'))
  symlinkSync('tls', watching.path('link'))
  watching.watch('link/a.pem')
  unlinkSync(watching.path('link'))
  symlinkSync('link', watching.path('link'))
  const due = watching.clock.armed()
  writeFileSync(watching.path('tls', 'access.log'), '')
  await due
})
