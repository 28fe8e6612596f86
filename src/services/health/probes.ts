import { http2Probe } from './http2-probe.ts'
import { httpProbe, type Probe } from './probe.ts'

/** Asks an instance in the way in which it is asked for clients. */
export const probe: Probe = (target, done) => (target.http2 ? http2Probe : httpProbe)(target, done)
