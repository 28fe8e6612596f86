import assert from 'node:assert/strict'
import test from 'node:test'
import { readWrk, wrk } from './wrk.ts'

const line = (changes: Record<string, number> = {}) =>
  JSON.stringify({
    requests: 3000,
    microseconds: 1_500_000,
    p50: 900,
    p99: 2100,
    connect: 0,
    read: 0,
    write: 0,
    timeout: 0,
    status: 0,
    ...changes,
  })

test('the figures are read from after the output of wrk itself', () => {
  const read = readWrk(`Running 2s test @ http://127.0.0.1:1/\n  1 threads\n${line()}\n`)
  assert.deepEqual(read, { requests: 3000, seconds: 1.5, p50: 900, p99: 2100, failures: [] })
})

test('every kind of error is a failure with its count', () => {
  const { failures } = readWrk(line({ status: 2, read: 1, timeout: 4 }))
  assert.deepEqual(failures, ['2 replies of 400 and above', '1 read errors', '4 timeouts'])
})

test('output without figures is an error that shows the output', () => {
  assert.throws(() => readWrk('unable to connect to 127.0.0.1:1'), /wrk printed no figures: unable to connect/)
})

test('a request becomes arguments: headers for wrk, method and body size for the script', () => {
  const target = { origin: 'http://127.0.0.1:1', seconds: 3, dir: '/nowhere' }
  const { command } = wrk(target, { method: 'POST', path: '/a', headers: { A: 'b' }, body: 10 }, 8)
  assert.deepEqual(command.args.slice(0, 7), ['-t1', '-c8', '-d3s', '--timeout', '30s', '-H', 'A: b'])
  assert.deepEqual(command.args.slice(-4), ['http://127.0.0.1:1/a', '--', 'POST', '10'])
})
