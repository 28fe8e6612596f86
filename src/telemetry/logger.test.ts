import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, renameSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { GatewayError } from '../core/errors.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

/** A logger to a file of its own. */
function logToFile(t: TestContext, options: Partial<LoggerOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-log-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'log')
  const clock = new ManualClock()
  const output = createLogger({ level: 'info', format: 'json', clock, destination: openSync(path, 'a'), ...options })
  return { ...output, clock, path, read: () => readFileSync(path, 'utf8') }
}

/** What a clock on the wall shows then. */
function timeHere(time: string): string {
  return new Date(time).toTimeString().slice(0, 8)
}

test('a line is JSON with level, timestamp, fields and message', async (t) => {
  const { log, close, read } = logToFile(t)
  log.warn({ service: 'user-service' }, 'No instance is healthy')
  await close()
  assert.equal(
    read(),
    '{"level":"warn","timestamp":"2024-01-15T10:30:00.000Z","service":"user-service","message":"No instance is healthy"}\n',
  )
})

test('the timestamp follows the clock', async (t) => {
  const { log, close, read, clock } = logToFile(t)
  log.info({}, 'one')
  clock.advance(1)
  log.info({}, 'two')
  await close()
  assert.deepEqual(read().match(/10:30:00\.\d{3}Z/g), ['10:30:00.000Z', '10:30:00.001Z'])
})

test('lines below the level are not written', async (t) => {
  const { log, close, read } = logToFile(t, { level: 'warn' })
  assert.deepEqual([log.isLevelEnabled('info'), log.isLevelEnabled('warn')], [false, true])
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  log.error({}, 'd')
  await close()
  assert.deepEqual(read().match(/"message":"."/g), ['"message":"c"', '"message":"d"'])
})

test('the level can be changed', async (t) => {
  const { log, setLevel, close, read } = logToFile(t, { level: 'warn' })
  log.info({}, 'a')
  setLevel('debug')
  log.debug({}, 'b')
  setLevel('error')
  log.warn({}, 'c')
  assert.deepEqual([log.isLevelEnabled('warn'), log.isLevelEnabled('error')], [false, true])
  await close()
  assert.deepEqual(read().match(/"message":"."/g), ['"message":"b"'])
})

test('a changed format applies to the lines that follow', async (t) => {
  const { log, setFormat, close, read } = logToFile(t)
  log.info({}, 'a')
  setFormat('pretty')
  log.info({ service: 'users' }, 'b')
  setFormat('auto')
  log.info({}, 'c')
  await close()
  assert.deepEqual(read().split('\n'), [
    '{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","message":"a"}',
    `${timeHere('2024-01-15T10:30:00.000Z')} INFO  b service=users`,
    '{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","message":"c"}',
    '',
  ])
})

test('an error is written with its code, stack and cause', async (t) => {
  const { log, close, read } = logToFile(t)
  log.error({ error: new GatewayError('bad-gateway', undefined, { cause: new Error('connection refused') }) }, 'Failed')
  await close()
  const { error } = JSON.parse(read()) as { error: Record<string, string> }
  assert.equal(error['code'], 'bad-gateway')
  assert.match(error['stack'] ?? '', /GatewayError: Bad gateway[^]*connection refused/)
})

test('close loses nothing and keeps the order', async (t) => {
  const { log, write, close, read } = logToFile(t)
  for (let i = 0; i < 5000; i += 2) {
    log.info({ i }, 'x')
    write(`{"i":${i + 1}}\n`)
  }
  await Promise.all([close(), close()])
  const numbers = read()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { i: number }).i)
  assert.deepEqual(
    numbers,
    Array.from({ length: 5000 }, (_, i) => i),
  )
})

test('lines written after close are dropped', async (t) => {
  const { log, close, read } = logToFile(t)
  await close()
  log.info({}, 'too late')
  assert.equal(read(), '')
})

test('close leaves no timer behind', async (t) => {
  const { close, clock } = logToFile(t)
  assert.equal(clock.pending, 1)
  await close()
  assert.equal(clock.pending, 0)
})

test('the pretty format lets no control characters reach a terminal', async (t) => {
  const { log, write, close, read } = logToFile(t, { format: 'pretty' })
  log.warn({ error: new Error('a\u001b[2J\r\u009b31m\b') }, 'One')
  write('{"level":"info","user_agent":"\u009b31m","message":"Two"}\n')
  await close()
  assert.match(read(), /One[^]*Two/)
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  assert.doesNotMatch(read(), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
})

test('the pretty format has one readable line per message', async (t) => {
  const { log, close, read } = logToFile(t, { format: 'pretty' })
  log.info({ agent: 'evil\n\x1b[31m' }, 'Hello')
  await close()
  assert.match(read(), /^\d\d:\d\d:\d\d INFO {2}Hello agent="evil\\n\\u001b\[31m"\n$/)
})

test('the automatic format is JSON for a file', async (t) => {
  const { log, close, read } = logToFile(t, { format: 'auto' })
  log.info({}, 'Hello')
  await close()
  assert.match(read(), /^\{"level"/)
})

test('lines are dropped if the reader is too slow, and the log says how many', async (t) => {
  const { write, close, read } = logToFile(t)
  const line = `"${'x'.repeat(65_533)}"\n`
  for (let i = 0; i < 300; i++) write(line)
  await close()
  assert.match(read(), /\{"level":"warn",[^\n]*"lines":4[45],"message":"Log lines were dropped: [^\n]*"\}\n$/)
})

test('a line is not held back for long', async (t) => {
  const { log, clock, close, path, read } = logToFile(t)
  const watcher = watch(path)
  t.after(() => watcher.close())
  const written = once(watcher, 'change')
  log.info({}, 'Hello')
  clock.advance(100)
  await written
  assert.match(read(), /Hello/)
  await close()
})

test('an unwritable log does not stop the gateway', async (t) => {
  const { log, clock, close } = logToFile(t, { destination: openSync('/dev/full', 'a') })
  for (let i = 0; i < 100; i++) {
    log.info({ filling: 'x'.repeat(1000) }, 'x')
    clock.advance(100)
  }
  await assert.doesNotReject(close())
})

test('a renamed file is recreated when it is reopened, and nothing is lost', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-log-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'log')
  const { write, reopen, close } = createLogger({ level: 'info', format: 'auto', clock: new ManualClock(), file })
  for (let i = 0; i < 1000; i++) write(`{"i":${i}}\n`)
  renameSync(file, `${file}.1`)
  reopen()
  for (let i = 1000; i < 2000; i++) write(`{"i":${i}}\n`)
  await close()
  const lines = `${readFileSync(`${file}.1`, 'utf8')}${readFileSync(file, 'utf8')}`.trimEnd().split('\n')
  assert.deepEqual(
    lines,
    Array.from({ length: 2000 }, (_, i) => `{"i":${i}}`),
  )
})

test('a file that cannot be opened is an immediate error', () => {
  const file = '/nowhere/at/all/log'
  assert.throws(() => createLogger({ level: 'info', format: 'auto', clock: new ManualClock(), file }), {
    name: 'Error',
    message: /^log\.file: ENOENT/,
  })
})
