import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { turnUntil } from '../../test/support/settled.ts'
import { parseConfig } from '../config/parse.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { NO_CODE } from '../config/loaded-code.ts'
import { type Asker, NOBODY, originOf } from './origin.ts'
import type { Applied, Candidate, Earlier, Outcome, Reload } from './reloads.ts'
import { type Change, WrittenConfiguration } from './written-configuration.ts'

const ADA: Asker = { operator: 'ada', by: 'session' }

/** A file "one" that is applied, and a gateway that takes over every text but "bad". */
function setUp(t: TestContext, { isModule = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, 'one')
  const clock = new ManualClock()
  const config = parseConfig({})
  const candidate = (text: string): Candidate => ({
    config,
    text,
    code: [],
    modules: NO_CODE,
    warnings: [],
    revision: text.trim(),
  })
  let applied: Applied = { ...candidate('one'), generation: 1, since: 0, origin: originOf('started'), rewritten: null }
  let earlier: readonly Earlier[] = []
  const reloadInTurn = async (
    read: () => Promise<Candidate>,
    { back, origin = originOf('reloaded'), instead = applied }: Reload,
  ): Promise<Outcome> => {
    if (instead !== applied) return { outcome: 'unchanged', applied }
    const next = await read()
    if (next.text === 'bad')
      return { outcome: 'refused', applied, problems: [{ path: '', message: 'bad' }], error: new Error('bad') }
    if (next.text === 'removes the file') rmSync(file)
    if (next.text === 'late') writeFileSync(file, 'by hand')
    if (next.revision === applied.revision) {
      applied = { ...applied, text: next.text }
      return { outcome: 'unchanged', applied }
    }
    const { revision, generation } = applied
    const left = { text: applied.text!, revision, generation, since: 0, origin: applied.origin, rewritten: null }
    earlier = back ?? [left, ...earlier]
    applied = { ...next, generation: generation + 1, since: 0, origin, rewritten: null }
    return { outcome: 'applied', applied }
  }
  let last: Promise<unknown> = Promise.resolve()
  const reload: typeof reloadInTurn = (...how) => {
    const outcome = last.then(() => reloadInTurn(...how))
    last = outcome
    return outcome
  }
  const written = new WrittenConfiguration({
    file,
    isModule,
    reloads: () => ({ applied, earlier, lastReload: null, lastSuccessful: true, instancesProblem: null }),
    read: async (text) => candidate(text),
    reload,
    reread: () => reload(async () => candidate(readFileSync(file, 'utf8')), {}),
    clock,
    log: createMemoryLogger().log,
  })
  const put = (text: string, more: Partial<Change> = {}): Promise<Outcome> =>
    written.put({ text, check: () => {}, force: false, confirm: null, asker: ADA, ...more })
  return {
    file,
    clock,
    written,
    put,
    reload: (text: string) => reload(async () => candidate(text), {}),
    inForce: () => applied.text,
    origin: () => applied.origin,
    inFile: () => readFileSync(file, 'utf8'),
  }
}

test('an accepted text is applied and written, and a rejected one neither', async (t) => {
  const { put, inForce, inFile } = setUp(t)
  assert.equal((await put('two')).outcome, 'applied')
  assert.deepEqual([inForce(), inFile()], ['two', 'two'])
  assert.equal((await put('bad')).outcome, 'refused')
  assert.deepEqual([inForce(), inFile()], ['two', 'two'])
  assert.equal((await put('two ')).outcome, 'unchanged')
  assert.equal(inFile(), 'two ', 'a file with the same meaning is still written')
  assert.equal((await put('three')).outcome, 'applied', 'and the file is then known')
})

test('each configuration has the operator who asked for it, unless its time was up', async (t) => {
  const { put, written, clock, origin, inForce, reload } = setUp(t)
  const ben: Asker = { operator: null, by: 'token' }
  await put('two')
  assert.deepEqual(origin(), { how: 'sent', operator: 'ada', by: 'session' })
  await put('three', { confirm: 60_000, asker: ben })
  assert.deepEqual(origin(), { how: 'sent', operator: null, by: 'token' })
  await written.rollback(() => {}, false, ADA)
  assert.deepEqual([inForce(), origin()], ['two', { how: 'went_back', operator: 'ada', by: 'session' }])
  await put('four', { confirm: 60_000 })
  clock.advance(60_000)
  await turnUntil('the rollback', () => inForce() === 'two')
  assert.deepEqual(origin(), { how: 'expired', operator: null, by: null })
  await reload('five')
  assert.deepEqual(origin(), { how: 'reloaded', operator: null, by: null })
})

test('queued changes are checked after the previous ones', async (t) => {
  const { put, inForce, inFile } = setUp(t)
  const check = (): void => {
    if (inForce() !== 'one') throw new Error('stale')
  }
  const results = await Promise.allSettled([put('two', { check }), put('three', { check }), put('four', { check })])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  assert.deepEqual([inForce(), inFile()], ['two', 'two'])
})

test('at most eight changes are queued', async (t) => {
  const { put } = setUp(t)
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => put(`text ${i}`)))
  assert.deepEqual(
    results.map(({ status }) => status),
    [...Array.from({ length: 8 }, () => 'fulfilled'), 'rejected', 'rejected'],
  )
})

test('a change awaiting confirmation is applied, but only written once it is confirmed', async (t) => {
  const { put, written, clock, inForce, inFile } = setUp(t)
  await put('two', { confirm: 60_000 })
  assert.deepEqual([inForce(), inFile(), written.until], ['two', 'one', clock.wall() + 60_000])
  await assert.rejects(put('three'), { code: 'conflict', message: /^A change is waiting for confirmation until .*Z: / })
  clock.advance(59_999)
  await written.confirm(() => {})
  assert.deepEqual([inForce(), inFile(), written.until], ['two', 'two', null])
  clock.advance(60_000)
  await put('three')
  assert.deepEqual([inForce(), inFile()], ['three', 'three'])
  await assert.rejects(
    written.confirm(() => {}),
    { code: 'conflict', message: 'No change is waiting for confirmation.' },
  )
})

test('a change that is not confirmed in time is rolled back', async (t) => {
  const { put, written, clock, inForce, inFile } = setUp(t)
  await put('two', { confirm: 60_000 })
  clock.advance(60_000)
  await turnUntil('the rollback', () => inForce() === 'one')
  assert.deepEqual([inFile(), written.until], ['one', null])
  await assert.rejects(
    written.confirm(() => {}),
    { code: 'conflict' },
  )
  await assert.rejects(
    written.rollback(() => {}, false, NOBODY),
    { code: 'conflict' },
    'it cannot be rolled back to',
  )
})

test('a rollback of an unconfirmed change takes effect at once, unless the check fails', async (t) => {
  const { put, written, inForce, inFile } = setUp(t)
  await put('two', { confirm: 60_000 })
  const fail = (): void => assert.fail('it is another one')
  await assert.rejects(written.confirm(fail), { message: 'it is another one' })
  await assert.rejects(written.rollback(fail, false, NOBODY), { message: 'it is another one' })
  assert.equal(inForce(), 'two')
  const check = (isUnconfirmed: boolean): void => assert.ok(isUnconfirmed)
  assert.equal((await written.rollback(check, false, NOBODY)).outcome, 'applied')
  assert.deepEqual([inForce(), inFile(), written.until], ['one', 'one', null])
})

test('a change is rolled back even if the file was removed while it was applied', async (t) => {
  const { clock, file, written, put, inForce } = setUp(t)
  await put('removes the file', { confirm: 60_000 })
  assert.equal(inForce(), 'removes the file')
  await assert.rejects(
    written.confirm(() => {}),
    { code: 'conflict', message: `${file} no longer exists: put it back.` },
  )
  clock.advance(60_000)
  await turnUntil('the rollback', () => inForce() === 'one')
})

for (const [when, confirm] of [
  ['at once', null],
  ['when it is confirmed', 60_000],
] as const)
  test(`a file changed by somebody else while a text is applied is not replaced ${when}`, async (t) => {
    const { put, written, inForce, inFile } = setUp(t)
    const conflict = { code: 'conflict', message: /has been changed and not reloaded/ }
    const change = put('late', { confirm })
    if (confirm === null) await assert.rejects(change, conflict)
    else {
      await change
      await assert.rejects(
        written.confirm(() => {}),
        conflict,
      )
      await written.rollback(() => {}, false, ADA)
    }
    assert.deepEqual([inForce(), inFile()], ['one', 'by hand'])
  })

test('a rollback does not undo a reload of the file that is already in progress', async (t) => {
  const { put, written, reload, inForce } = setUp(t)
  await put('two', { confirm: 60_000 })
  const { outcome } = await written.rollback(() => void reload('three'), false, ADA)
  assert.deepEqual([outcome, inForce()], ['unchanged', 'three'])
})

test('a change that is in the file is kept, however it got there', async (t) => {
  const { put, written, clock, file, reload, inForce } = setUp(t)
  await put('two', { confirm: 60_000 })
  writeFileSync(file, 'two ')
  await reload('two ')
  assert.equal(written.until, null)
  clock.advance(60_000)
  await new Promise(setImmediate)
  assert.equal(inForce(), 'two ')
  assert.equal((await put('three')).outcome, 'applied')
})

test('after another reload the change is not rolled back', async (t) => {
  const { put, written, clock, reload, inForce } = setUp(t)
  await put('two', { confirm: 60_000 })
  await reload('three')
  assert.equal(written.until, null)
  await assert.rejects(
    written.confirm(() => {}),
    { code: 'conflict' },
  )
  clock.advance(60_000)
  await new Promise(setImmediate)
  assert.equal(inForce(), 'three')
})

test('when the process ends the file has the confirmed configuration', async (t) => {
  const { put, written, clock, inFile, inForce } = setUp(t)
  await put('two', { confirm: 60_000 })
  written.stop()
  clock.advance(60_000)
  await new Promise(setImmediate)
  assert.deepEqual([inForce(), inFile()], ['two', 'one'])
})

test('each rollback goes back one step further, and writes the file', async (t) => {
  const { put, written, inForce, inFile } = setUp(t)
  for (const text of ['two', 'three']) await put(text)
  for (const text of ['two', 'one']) {
    assert.equal((await written.rollback(() => {}, false, NOBODY)).outcome, 'applied')
    assert.deepEqual([inForce(), inFile()], [text, text])
  }
  await assert.rejects(
    written.rollback(() => {}, false, NOBODY),
    { code: 'conflict', message: /no previous configuration/ },
  )
})

test('a file changed by somebody else is only replaced with force, and a copy is kept', async (t) => {
  const { put, written, file, inForce, inFile } = setUp(t)
  writeFileSync(file, 'by hand')
  await assert.rejects(put('two'), { code: 'conflict', message: /has been changed and not reloaded/ })
  await put('two', { force: true, confirm: 60_000 })
  assert.deepEqual([inForce(), inFile()], ['two', 'by hand'])
  await written.confirm(() => {})
  assert.deepEqual([inFile(), readFileSync(`${file}.1`, 'utf8')], ['two', 'by hand'])
  await put('three', { confirm: 60_000 })
  writeFileSync(file, 'by hand')
  await assert.rejects(
    written.confirm(() => {}),
    { code: 'conflict', message: /has been changed and not reloaded: roll back, or / },
  )
  assert.notEqual(written.until, null, 'it is still waiting')
})

test('a missing file, and a configuration in code, are not replaced', async (t) => {
  const { put, file, inForce } = setUp(t)
  rmSync(file)
  await assert.rejects(put('two'), { code: 'conflict', message: `${file} no longer exists: put it back.` })
  const module = setUp(t, { isModule: true })
  await assert.rejects(module.put('two'), { code: 'conflict', message: /is a module: change it there/ })
  assert.deepEqual([inForce(), module.inForce()], ['one', 'one'])
})
