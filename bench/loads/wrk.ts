import { join } from 'node:path'
import { z } from 'zod'
import { namedFailures, type Load, type LoadResult, type Request, type Target } from './load.ts'

const script = join(import.meta.dirname, 'wrk.lua')
/** Over TLS, settings that every proxy supports: TLS 1.3, one cipher and one group. */
const openssl = join(import.meta.dirname, 'openssl.cnf')

const figures = z.strictObject({
  requests: z.number(),
  microseconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  connect: z.number(),
  read: z.number(),
  write: z.number(),
  timeout: z.number(),
  status: z.number(),
})

/**
 * A closed loop: every connection sends its next request as soon as the reply has arrived, for the target's seconds. `tokens` is a file of
 * bearer tokens, one per line, which the requests use in turn.
 */
export function wrk(target: Target, request: Request, connections: number, tokens?: string): Load {
  const headers = Object.entries(request.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const args = ['-t1', `-c${connections}`, `-d${target.seconds}s`, '--timeout', '30s', ...headers, '-s', script]
  return {
    command: {
      command: 'wrk',
      env: { OPENSSL_CONF: openssl },
      args: [
        ...args,
        target.origin + request.path,
        '--',
        request.method,
        String(request.body ?? 0),
        ...(tokens === undefined ? [] : [tokens]),
      ],
    },
    read: readWrk,
  }
}

/** Parses the line of JSON that wrk.lua prints; throws if there is none. */
export function readWrk(output: string): LoadResult {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{'))
  if (line === undefined) throw new Error(`wrk printed no figures: ${output.trim()}`)
  const { requests, microseconds, p50, p99, status, ...errors } = figures.parse(JSON.parse(line))
  const failures = namedFailures({
    'replies of 400 and above': status,
    'connect errors': errors.connect,
    'read errors': errors.read,
    'write errors': errors.write,
    timeouts: errors.timeout,
  })
  return { requests, seconds: microseconds / 1e6, p50, p99, failures }
}
