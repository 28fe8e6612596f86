import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { GrpcCall } from '../grpc/call.ts'
import { grpcStatus } from '../grpc/status.ts'
import { callStatus, settleCall, statusInHttp } from './call-status.ts'

interface Ended {
  readonly aborted?: boolean
  readonly status?: number
  readonly whole?: boolean
  /** What the reply has said. */
  readonly said?: number | null
  /** Whether the deadline of the client has passed. */
  readonly late?: boolean
}

function end({ aborted = false, status = 200, whole = true, said = null, late = false }: Ended) {
  const grpc = new GrpcCall(late ? 100 : 10_000)
  grpc.status = said
  const exchange = makeExchange({ grpc, aborted })
  settleCall(exchange, status, whole, 500)
  return exchange
}

test('the status of a call is the one its client derives from what it received', () => {
  const cases: [Ended, string][] = [
    [{ said: 0 }, 'OK'],
    [{ said: 5, aborted: true, status: 499 }, 'NOT_FOUND'],
    [{ aborted: true, status: 499, whole: false }, 'CANCELLED'],
    [{ aborted: true, status: 499, whole: false, late: true }, 'DEADLINE_EXCEEDED'],
    [{ whole: false }, 'INTERNAL'],
    [{ status: 503 }, 'UNAVAILABLE'],
    [{ status: 404 }, 'UNIMPLEMENTED'],
  ]
  for (const [ended, name] of cases) assert.equal(callStatus(end(ended)), name, JSON.stringify(ended))
})

test('a complete reply without a status is not held against the service', () => {
  const exchange = end({})
  assert.equal(callStatus(exchange), null)
  assert.equal(statusInHttp(exchange, 200), 200)
})

test('a request that is not a gRPC call has no status', () => {
  const exchange = makeExchange()
  settleCall(exchange, 200, true, 500)
  assert.equal(callStatus(exchange), null)
  assert.equal(statusInHttp(exchange, 404), 404)
})

test('a call that failed in the service counts as an HTTP failure, other calls do not', () => {
  assert.equal(statusInHttp(end({ said: grpcStatus('UNAVAILABLE') }), 200), 503)
  assert.equal(statusInHttp(end({ said: grpcStatus('INTERNAL') }), 200), 500)
  assert.equal(statusInHttp(end({ said: grpcStatus('NOT_FOUND') }), 200), 200)
  assert.equal(statusInHttp(end({ status: 502 }), 502), 502)
})
