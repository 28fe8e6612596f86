import { ConnectionError, ErrorCode } from './errors.ts'
import { TABLE_SIZE } from './hpack/decoder.ts'
import type { FieldLimits } from '../http/limits.ts'
import { FRAME_SIZE, MAX_WINDOW, protocolError, settingsFrame, WINDOW } from './frames.ts'

/** RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1. */
const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
  noRfc7540Priorities: 9,
} as const

/** Maximum number of concurrent streams of a connection. */
export const STREAMS = 128
/** Overhead that RFC 7541 section 4.1 counts for each field, in bytes. */
const PER_FIELD = 32

/** Maximum size of a field section from a client, in bytes. */
export function mostFields({ head, headers }: FieldLimits): number {
  return head + headers * PER_FIELD
}

/** The settings sent to a client at the beginning, as a frame. */
export function settingsForClient(limits: FieldLimits): string {
  return settingsFrame([
    [Setting.maxConcurrentStreams, STREAMS],
    [Setting.maxHeaderListSize, mostFields(limits)],
    [Setting.enableConnectProtocol, 1],
    [Setting.noRfc7540Priorities, 1],
  ])
}

/** The same for a service, which must not start streams. */
export function settingsForService(limits: FieldLimits): string {
  return settingsFrame([
    [Setting.enablePush, 0],
    [Setting.maxConcurrentStreams, 0],
    // The default: lighttpd 1.4.69 assumes one byte more if it is not told, and overruns each window that is full.
    [Setting.initialWindowSize, WINDOW],
    [Setting.maxHeaderListSize, mostFields(limits)],
    [Setting.noRfc7540Priorities, 1],
  ])
}

const MAX_FRAME = 2 ** 24 - 1

/** The peer's settings; initially the defaults of RFC 9113 section 6.5.2. */
export class PeerSettings {
  initialWindow = WINDOW
  /** The peer wants a table of header fields smaller than the default, which the encoder has to acknowledge. */
  smallTable = false
  /** Maximum number of concurrent streams that it accepts. */
  maxStreams = Number.POSITIVE_INFINITY
  /** It accepts extended CONNECT, for other protocols within a stream (RFC 8441 section 3). */
  connectProtocol = false
  private readonly pushes: number
  private before = WINDOW

  constructor(peer: 'client' | 'server') {
    this.pushes = peer === 'client' ? 1 : 0
  }

  /** Applies one setting. Throws ConnectionError for an invalid value; unknown settings are ignored. */
  set(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        if (value < TABLE_SIZE) this.smallTable = true
        return
      case Setting.enablePush:
        if (value > this.pushes) throw protocolError(`SETTINGS_ENABLE_PUSH is ${value}.`)
        return
      case Setting.maxConcurrentStreams:
        this.maxStreams = value
        return
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW)
          throw new ConnectionError(ErrorCode.flowControlError, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}.`)
        this.initialWindow = value
        return
      case Setting.maxFrameSize:
        if (value < FRAME_SIZE || value > MAX_FRAME) throw protocolError(`SETTINGS_MAX_FRAME_SIZE is ${value}.`)
        // Ignored: longer frames would delay other streams.
        return
      case Setting.enableConnectProtocol:
        if (value > 1) throw protocolError(`SETTINGS_ENABLE_CONNECT_PROTOCOL is ${value}.`)
        this.connectProtocol = value === 1
    }
  }

  /** By how much the window of every stream has changed since the last call (RFC 9113 section 6.9.2). */
  changedWindow(): number {
    const change = this.initialWindow - this.before
    this.before = this.initialWindow
    return change
  }
}
