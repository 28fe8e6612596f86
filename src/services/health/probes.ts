import { grpcProbe } from './grpc-probe.ts'
import { http2Probe } from './http2-probe.ts'
import { httpProbe, type Probe, type ProbeTarget } from './probe.ts'

/** Asks an instance in the way in which it is asked for clients. */
export const probe: Probe = (target, done) => wayOf(target)(target, done)

function wayOf({ http2, grpc }: ProbeTarget): Probe {
  if (grpc !== undefined) return grpcProbe
  return http2 ? http2Probe : httpProbe
}
