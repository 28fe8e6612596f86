import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { SignallingClock } from '../../test/support/signalling-clock.ts'
import { type Loaded, loadWhole } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { ReadFiles } from '../config/read-files.ts'
import { refusalOf } from '../config/refusal.ts'
import { revisionOf } from '../config/revision.ts'
import { fileDigest } from '../core/file-digest.ts'
import { type FileWatcher, watchFiles } from '../core/watch-files.ts'
import { createLineLogger } from '../telemetry/logger.ts'
import { WatchedConfiguration } from './watched-configuration.ts'

const SETTLE = 250
const LOOK = 10_000

type Read = Loaded & { readonly files: ReadonlyMap<string, string>; readonly revision: string }

/** A configuration with one route; the last line is one that may be cut off. */
function yaml(path: string, more = ''): string {
  return `${more}routes:\n  - { id: a, match: { path: /${path} }, reply: {} }\n  - { id: last, match: { path: /last }, reply: {} }\n`
}

/** A configuration file that is watched, in a folder of its own; what becomes of it is written down. */
class Watched {
  readonly folder: string
  readonly clock = new SignallingClock()
  readonly outcomes: string[] = []
  readonly lines: string[] = []
  configuration: WatchedConfiguration<Read, { readonly applied: Read }> | undefined
  private readonly files: FileWatcher
  watches = true
  private applied: Read | undefined
  private told = (): void => {}
  private readonly name: string

  constructor(t: TestContext, name = 'sallyport.yaml') {
    this.name = name
    this.folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
    const { clock } = this
    const log = createLineLogger('info', clock, (line) => void this.lines.push(line))
    this.files = watchFiles({ clock, log })
    const { files } = this
    t.after(() => {
      this.configuration?.stop()
      files.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  write(text: string, name = this.name): void {
    writeFileSync(this.path(name), text)
  }

  /** Begins with what the file holds, and is done with what follows from that. */
  async start(): Promise<void> {
    this.startWith(await this.read())
    await this.configuration!.settled()
  }

  startWith(first: Read): void {
    this.applied = first
    this.configuration = new WatchedConfiguration({
      read: () => this.read(),
      reload: (read: () => Promise<Read>) => this.takeOver(read),
      files: this.files,
      first: first.files,
      watches: () => this.watches,
      log: createLineLogger('info', this.clock, (line) => void this.lines.push(line)),
    })
    this.configuration.start(first.config)
  }

  /** The result of a change that the system reports, once it has settled. */
  async after(change: () => void): Promise<string | undefined> {
    return this.next(async () => {
      const event = this.clock.armed()
      change()
      await event
      this.clock.advance(SETTLE)
    })
  }

  /** The result of a change that is not reported. */
  afterLook(change: () => void): Promise<string | undefined> {
    return this.next(() => {
      change()
      this.clock.advance(LOOK)
    })
  }

  /** The result of the next read, which `cause` triggers. */
  async next(cause: () => unknown): Promise<string | undefined> {
    const before = this.outcomes.length
    const read = new Promise<void>((resolve) => void (this.told = resolve))
    await cause()
    await read
    // Who looks on sees what changes from now on as a part of this.
    await this.configuration!.settled()
    assert.equal(this.outcomes.length, before + 1)
    return this.outcomes.at(-1)
  }

  async read(): Promise<Read> {
    const noted = new ReadFiles()
    try {
      const loaded = await loadWhole(this.path(this.name), {}, noted)
      return { ...loaded, files: noted.all, revision: revisionOf(loaded.config, noted.beside) }
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(error.problems, noted.all)
      throw error
    }
  }

  private async takeOver(read: () => Promise<Read>) {
    this.outcomes.push(await this.judge(read))
    // After what follows from the outcome.
    setImmediate(this.told)
    this.told = () => {}
    return { applied: this.applied! }
  }

  private async judge(read: () => Promise<Read>): Promise<string> {
    try {
      const fresh = await read()
      if (fresh.revision === this.applied?.revision) return 'unchanged'
      const refusal = refusalOf(this.applied!, fresh)
      if (refusal !== null) return `refused: ${refusal}`
      this.applied = fresh
      return `applied ${fresh.config.routes[0]?.match.path.join() ?? ''}`
    } catch (error) {
      return `refused: ${error instanceof Error ? error.message.replaceAll(this.folder, '') : ''}`
    }
  }
}

async function watched(t: TestContext, name?: string): Promise<Watched> {
  const made = new Watched(t, name)
  made.write(yaml('0'))
  await made.start()
  return made
}

test('a file written in place is applied each time', async (t) => {
  const file = await watched(t)
  assert.equal(await file.after(() => file.write(yaml('1'))), 'applied /1')
  assert.equal(await file.after(() => file.write(yaml('2'))), 'applied /2')
})

test('a file replaced by rename is applied every time, not only the first', async (t) => {
  const file = await watched(t)
  for (const version of ['1', '2', '3']) {
    const replace = (): void => {
      file.write(yaml(version), '.sallyport.yaml.new')
      renameSync(file.path('.sallyport.yaml.new'), file.path('sallyport.yaml'))
    }
    assert.equal(await file.after(replace), `applied /${version}`)
  }
})

test('a file changed by sed -i is applied each time', async (t) => {
  const file = await watched(t)
  for (const [from, to] of ['01', '12'] as const) {
    const change = () => execFileSync('sed', ['-i', `s#/${from}#/${to}#`, file.path('sallyport.yaml')])
    assert.equal(await file.after(change), `applied /${to}`)
  }
})

test('a ConfigMap is applied at each swap', async (t) => {
  const file = new Watched(t)
  const fill = (version: string): void => {
    mkdirSync(file.path(`..${version}`))
    file.write(yaml(version), `..${version}/sallyport.yaml`)
  }
  const swap = (version: string, before: string): void => {
    fill(version)
    symlinkSync(`..${version}`, file.path('..data_tmp'))
    renameSync(file.path('..data_tmp'), file.path('..data'))
    rmSync(file.path(`..${before}`), { recursive: true })
  }
  fill('0')
  symlinkSync('..0', file.path('..data'))
  symlinkSync(join('..data', 'sallyport.yaml'), file.path('sallyport.yaml'))
  await file.start()
  assert.equal(await file.after(() => swap('1', '0')), 'applied /1')
  assert.equal(await file.after(() => swap('2', '1')), 'applied /2')
  assert.equal(await file.after(() => swap('3', '2')), 'applied /3')
})

test('a file written in two steps is rejected until it is complete', async (t) => {
  const file = await watched(t)
  // What is there already means something else: one second.
  const whole = `${yaml('1')}drainTimeout: 1s # and not more\n`
  const half = whole.slice(0, -' and not more\n'.length)
  assert.match((await file.after(() => file.write(half))) ?? '', /^refused: the file ends within a line/)
  assert.equal(await file.after(() => file.write(whole)), 'applied /1')
})

test('a truncated version of the running file is rejected', async (t) => {
  const file = await watched(t)
  const cut = yaml('0').indexOf('  - { id: last')
  const outcome = await file.after(() => truncateSync(file.path('sallyport.yaml'), cut))
  assert.match(outcome ?? '', /^refused: the file is only the beginning of the running one/)
  assert.equal(await file.after(() => file.write(yaml('0'))), 'unchanged')
})

test('an emptied file is rejected, and applied once it has content again', async (t) => {
  const file = await watched(t)
  assert.match((await file.after(() => truncateSync(file.path('sallyport.yaml')))) ?? '', /^refused: .*is empty/)
  assert.equal(await file.after(() => file.write(yaml('1'))), 'applied /1')
})

test('an unreadable file is rejected, and applied once it can be read', async (t) => {
  const file = await watched(t)
  const path = file.path('sallyport.yaml')
  const block = (): void => {
    unlinkSync(path)
    mkdirSync(path)
  }
  const free = (): void => {
    rmSync(path, { recursive: true })
    file.write(yaml('1'))
  }
  assert.match((await file.after(block)) ?? '', /^refused: .*is a folder/)
  assert.equal(await file.after(free), 'applied /1')
  assert.match((await file.after(() => unlinkSync(path))) ?? '', /^refused: .*no such file/)
  assert.equal(await file.after(() => file.write(yaml('2'))), 'applied /2')
})

test('a deleted and recreated folder is watched again', async (t) => {
  const file = new Watched(t, 'etc/sallyport.yaml')
  mkdirSync(file.path('etc'))
  file.write(yaml('0'))
  await file.start()
  const removed = await file.after(() => rmSync(file.path('etc'), { recursive: true }))
  assert.match(removed ?? '', /^refused: .*no such file/)
  const back = (): void => {
    mkdirSync(file.path('etc'))
    file.write(yaml('1'))
  }
  assert.equal(await file.afterLook(back), 'applied /1')
  assert.equal(await file.after(() => file.write(yaml('2'))), 'applied /2')
})

test('referenced files are watched as long as the configuration names them', async (t) => {
  const file = await watched(t)
  const secret = (text: string) => file.write(text.repeat(32), 'secret')
  secret('a')
  assert.equal(await file.after(() => file.write(yaml('1', 'secrets: ["${file:secret}"]\n'))), 'applied /1')
  assert.equal(await file.after(() => secret('b')), 'applied /1')
  assert.equal(await file.after(() => secret('c')), 'applied /1')
  assert.equal(await file.after(() => file.write(yaml('2'))), 'applied /2')
  // This one is no longer read, and the next reported change is that of the file itself.
  secret('d')
  assert.equal(await file.after(() => file.write(yaml('3'))), 'applied /3')
})

test('a missing file is awaited', async (t) => {
  const file = await watched(t)
  const change = () => file.write(yaml('1', 'secrets: ["${file:secret}"]\n'))
  assert.match((await file.after(change)) ?? '', /^refused: .*file secret: no such file/)
  assert.equal(await file.after(() => file.write('s'.repeat(32), 'secret')), 'applied /1')
})

test('a change between reading and watching is noticed', async (t) => {
  const file = new Watched(t)
  file.write(yaml('0'))
  file.watches = false
  await file.start()
  file.write(yaml('1'))
  file.watches = true
  const outcome = await file.next(() => void file.configuration!.reload())
  assert.equal(outcome, 'applied /1')
  const late = new Watched(t)
  late.write(yaml('0'))
  const first = await late.read()
  late.write(yaml('1'))
  assert.equal(await late.next(() => late.startWith(first)), 'applied /1')
})

test('a file that is touched, or rewritten with the same content, is not read again', async (t) => {
  const file = await watched(t)
  const touch = (): void => {
    utimesSync(file.path('sallyport.yaml'), 1, 1)
    file.write(yaml('0'))
    file.write('elsewhere', 'another-file')
  }
  const event = file.clock.armed()
  touch()
  await event
  file.clock.advance(SETTLE)
  assert.equal(await file.after(() => file.write(yaml('1'))), 'applied /1')
  assert.deepEqual(file.outcomes, ['applied /1'])
})

test('a change that a reload has already read is not read again', async (t) => {
  const file = await watched(t)
  const event = file.clock.armed()
  file.write(yaml('1'))
  await event
  await file.configuration!.reload()
  file.clock.advance(SETTLE)
  assert.equal(await file.after(() => file.write(yaml('2'))), 'applied /2')
  assert.deepEqual(file.outcomes, ['applied /1', 'applied /2'])
})

test('a change that a reload, or the reading of what the gateway has written, is reading is not read again', async (t) => {
  const file = await watched(t)
  const first = await file.read()
  const gates: PromiseWithResolvers<void>[] = []
  let changed = (): void => {}
  const log = createLineLogger('info', file.clock, () => {})
  const configuration = new WatchedConfiguration({
    async read() {
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      return file.read()
    },
    reload: async (read: () => Promise<Read>) => ({ applied: await read() }),
    files: {
      watch(_, notify) {
        changed = notify
        return () => {}
      },
      close() {},
    },
    first: first.files,
    watches: () => true,
    log,
  })
  t.after(() => configuration.stop())
  configuration.start(first.config)
  await configuration.settled()
  for (const [i, reload] of (['reload', 'reread'] as const).entries()) {
    file.write(yaml(`${i + 1}`))
    const reading = configuration[reload]()
    changed()
    // As long as it takes to see the change.
    for (let n = 0; n < 5; n++) await fileDigest(file.path('sallyport.yaml'))
    for (const gate of gates) gate.resolve()
    await reading
    await configuration.settled()
    assert.equal(gates.length, i + 1)
  }
})

test('reload.watch takes effect when it changes, in both directions', async (t) => {
  const file = await watched(t)
  file.watches = false
  assert.equal(await file.after(() => file.write(yaml('1'))), 'applied /1')
  assert.equal(file.clock.pending, 0)
  file.write(yaml('2'))
  file.watches = true
  await file.configuration!.reload()
  assert.equal(await file.after(() => file.write(yaml('3'))), 'applied /3')
  assert.deepEqual(file.outcomes, ['applied /1', 'applied /2', 'applied /3'])
  file.configuration!.stop()
  assert.equal(file.clock.pending, 0)
})

test('requests before a reload starts reading share its result, and later ones cause another', async (t) => {
  const file = await watched(t)
  const read = await file.read()
  let times = 0
  const gate = Promise.withResolvers<void>()
  const configuration = new WatchedConfiguration({
    read: async () => read,
    reload: async (reading: () => Promise<Read>, { force }) => {
      await gate.promise
      await reading()
      return { applied: read, force, time: (times += 1) }
    },
    files: watchFiles({ clock: file.clock, log: createLineLogger('info', file.clock, () => {}) }),
    first: read.files,
    watches: () => false,
    log: createLineLogger('info', file.clock, () => {}),
  })
  const requested = [...Array.from({ length: 20 }, () => configuration.reload()), configuration.reload(true)]
  gate.resolve()
  const outcomes = await Promise.all(requested)
  assert.deepEqual(
    [outcomes[0], outcomes.at(-1)].map((outcome) => outcome?.force),
    [false, true],
  )
  assert.equal(new Set(outcomes).size, 2)
  assert.equal((await configuration.reload()).time, 3)
})
