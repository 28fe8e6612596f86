import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { percentile } from '../statistics.ts'
import { namedFailures, type Load, type LoadResult, type Request, type Target } from './load.ts'

/** h2load wakes a client at most every 10 ms, so above 100 requests per second a client would send in bursts. */
const requestsPerClient = 45
/** The interval between two requests of a client, over which the clients' starts are spread, in milliseconds. */
const clientPeriod = Math.round(1000 / requestsPerClient)

/**
 * Requests at a fixed rate that start within this time, in seconds, have no part in the latencies: all connections are
 * opened within its beginning, and `new-connection` measures what that takes.
 */
const opening = 0.5

const secondsPerUnit = new Map([
  ['us', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
  ['m', 60],
])

/** A closed loop with a fixed number of requests, for bodies so large that truncated ones would distort the count. */
export async function h2loadCount(
  target: Target,
  request: Request,
  connections: number,
  requests: number,
): Promise<Load> {
  const args = [`-n${requests}`, `-c${connections}`, ...(await requestArgs(target, request))]
  return h2load(target, args, request)
}

/** A closed loop over HTTP/2: that many requests are in flight on every connection, for the target's seconds. */
export async function h2loadStreams(
  target: Target,
  request: Request,
  connections: number,
  streams: number,
): Promise<Load> {
  const args = [`-D${target.seconds}`, `-c${connections}`, `-m${streams}`, ...(await requestArgs(target, request))]
  return h2load(target, args, request, false)
}

/**
 * An open loop: requests start at a fixed rate per second, spread over enough clients that none has to wait. The
 * latencies are those after the connections are open.
 */
export async function h2loadRate(target: Target, request: Request, rate: number): Promise<Load> {
  const clients = Math.max(16, Math.ceil(rate / requestsPerClient))
  const perClient = rate / clients
  const spread = ['-r', String(Math.ceil(clients / clientPeriod)), '--rate-period=1ms']
  const requests = Math.round(rate * (opening + target.seconds))
  const args = [`-n${requests}`, `-c${clients}`, `--rps=${perClient.toFixed(3)}`, ...spread]
  return h2load(target, [...args, ...(await requestArgs(target, request))], request, true, opening)
}

async function requestArgs(target: Target, request: Request): Promise<string[]> {
  const headers = Object.entries(request.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  if (request.body === undefined) return headers
  const body = join(target.dir, `body-${request.body}`)
  await writeFile(body, Buffer.alloc(request.body, 'x'))
  return [...headers, '-d', body]
}

function h2load(target: Target, args: string[], request: Request, http1 = true, ignored = 0): Load {
  const log = join(target.dir, 'h2load.log')
  return {
    command: {
      command: 'h2load',
      args: [...(http1 ? ['--h1'] : []), ...args, `--log-file=${log}`, target.origin + request.path],
    },
    async read(output) {
      const lines = await readFile(log, 'utf8')
      await rm(log)
      return readH2load(output, lines, ignored)
    },
  }
}

/**
 * Parses h2load's summary and its log, whose lines contain start, status and duration, with times in microseconds. The
 * latencies are without requests that started within the first `ignored` seconds.
 */
export function readH2load(output: string, log: string, ignored = 0): LoadResult {
  const seconds = /^finished in ([\d.]+)(us|ms|s|m)/m.exec(output)
  const counts =
    /^requests: (\d+) total, .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(output)
  const statuses = /^status codes: (\d+) 2xx/m.exec(output)
  if (seconds === null || counts === null || statuses === null)
    throw new Error(`h2load printed no figures: ${output.trim()}`)
  const [total, done, , failed, errored, timeout] = counts.slice(1).map(Number)
  const times = log
    .trim()
    .split('\n')
    .map((line) => line.split('\t').map(Number))
  const first = times.reduce((least, [start = 0]) => Math.min(least, start), Number.POSITIVE_INFINITY)
  const latencies = times
    .filter(([start = 0]) => start - first >= ignored * 1e6)
    .map(([, , duration = 0]) => duration)
    .sort((a, b) => a - b)
  return {
    requests: done ?? 0,
    seconds: Number(seconds[1]) * (secondsPerUnit.get(seconds[2] ?? '') ?? 1),
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    failures: namedFailures({
      'requests not done': (total ?? 0) - (done ?? 0),
      'replies other than 2xx': (done ?? 0) - Number(statuses[1]),
      'failed requests': failed ?? 0,
      'socket errors': errored ?? 0,
      timeouts: timeout ?? 0,
    }),
  }
}
