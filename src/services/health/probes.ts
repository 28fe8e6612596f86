import { grpcProbe } from './grpc-probe.ts'
import { http2Probe } from './http2-probe.ts'
import { httpProbe, type Probe, type ProbeTarget } from './probe.ts'

/** Probes an instance over the same protocol as client requests. */
export const probe: Probe = (target, done) => wayOf(target)(target, done)

function wayOf({ http2, grpc }: ProbeTarget): Probe {
  if (grpc !== undefined) return grpcProbe
  return http2 ? http2Probe : httpProbe
}
