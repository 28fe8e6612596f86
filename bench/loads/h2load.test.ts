import assert from 'node:assert/strict'
import test from 'node:test'
import { h2loadRate, readH2load } from './h2load.ts'

const output = (requests: string, statuses: string, time = '1.97s') => `starting benchmark...
finished in ${time}, 15255.61 req/s, 2.34MB/s
requests: ${requests}
status codes: ${statuses}
traffic: 4.61MB (4830000) total
`
const clean = output(
  '4 total, 4 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout',
  '4 2xx, 0 3xx, 0 4xx, 0 5xx',
)
const log =
  '1795384010473451\t200\t40\n1795384010473457\t200\t10\n1795384010473465\t200\t30\n1795384010473466\t200\t20\n'

test('counts come from the summary and latencies from the log', () => {
  assert.deepEqual(readH2load(clean, log), { requests: 4, seconds: 1.97, p50: 25, p99: 40, failures: [] })
})

test('latencies can be without those of requests that started at the beginning', () => {
  const { requests, p99 } = readH2load(clean, log, 0.000_01)
  assert.deepEqual([requests, p99], [4, 30])
})

test('a time in milliseconds is converted to seconds', () => {
  assert.equal(readH2load(clean.replace('1.97s', '970.50ms'), log).seconds, 0.9705)
})

test('replies other than 2xx, failed requests and requests never completed are failures', () => {
  const broken = output(
    '10 total, 9 started, 8 done, 7 succeeded, 3 failed, 2 errored, 1 timeout',
    '6 2xx, 1 3xx, 0 4xx, 1 5xx',
  )
  assert.deepEqual(readH2load(broken, log).failures, [
    '2 requests not done',
    '2 replies other than 2xx',
    '3 failed requests',
    '2 socket errors',
    '1 timeouts',
  ])
})

test('output without a summary is an error', () => {
  assert.throws(() => readH2load('could not connect', ''), /h2load printed no figures: could not connect/)
})

test('a fixed rate is spread over clients that each send fewer than 100 requests a second', async () => {
  const target = { origin: 'http://127.0.0.1:1', seconds: 3, dir: '/nowhere' }
  const { command } = await h2loadRate(target, { method: 'GET', path: '/' }, 20_000)
  assert.ok(command.args.includes('-c445'))
  assert.ok(command.args.includes('-n70000'))
  assert.ok(command.args.includes('--rps=44.944'))
})
