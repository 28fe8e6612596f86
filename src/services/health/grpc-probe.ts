import { Bytes } from '../../http/body.ts'
import { HEALTH_CHECK, healthRequest, readHealthReply } from '../../grpc/health-check.ts'
import { grpcStatusName, parseGrpcStatus } from '../../grpc/status.ts'
import { GRPC_STATUS } from '../../http/grpc-error.ts'
import type { SingleReply } from '../../http2/request-once.ts'
import { probeOverHttp2 } from './http2-probe.ts'
import type { Probe, ProbeOutcome } from './probe.ts'

/** Calls grpc.health.v1 on an instance, for the service named by the target. */
export const grpcProbe: Probe = (target, done) => {
  const headers = { ...target.headers, 'Content-Type': 'application/grpc' }
  const body = Bytes.fromBuffer(healthRequest(target.grpc ?? ''))
  return probeOverHttp2({ ...target, method: 'POST', path: HEALTH_CHECK, headers }, body, (answer) =>
    done(answer instanceof Error ? answer : outcomeOf(answer)),
  )
}

function outcomeOf({ status, headers, trailers, body }: SingleReply): ProbeOutcome {
  if (status !== 200) return status
  const statusValue = trailers?.get(GRPC_STATUS) ?? headers.get(GRPC_STATUS)
  if (statusValue === undefined) return new Error('the reply has no grpc-status')
  if (statusValue !== '0') return new Error(`gRPC status ${grpcStatusName(parseGrpcStatus(statusValue))}`)
  try {
    const serving = readHealthReply(body)
    return serving === 'SERVING' ? serving : new Error(`the instance reports ${serving}`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
