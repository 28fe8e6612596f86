import { ConnectionError, ErrorCode } from './errors.ts'
import { TABLE_SIZE } from './hpack/decoder.ts'
import type { FieldLimits } from '../http/limits.ts'
import { FRAME_SIZE, LARGEST_WINDOW, protocolError, settingsFrame, WINDOW } from './frames.ts'

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

/** Streams that a connection may have at a time. */
export const STREAMS = 128
/** What RFC 7541 section 4.1 counts for each field beside its octets. */
const PER_FIELD = 32

/** Octets of a field section that a client may send. */
export function mostFields({ head, headers }: FieldLimits): number {
  return head + headers * PER_FIELD
}

/** What a client is told at the beginning, as a frame. */
export function ownSettings(limits: FieldLimits): string {
  return settingsFrame([
    [Setting.maxConcurrentStreams, STREAMS],
    [Setting.maxHeaderListSize, mostFields(limits)],
    [Setting.enableConnectProtocol, 1],
    [Setting.noRfc7540Priorities, 1],
  ])
}

/** The same for a service: it may begin no streams of its own. */
export function clientSettings(limits: FieldLimits): string {
  return settingsFrame([
    [Setting.enablePush, 0],
    [Setting.maxConcurrentStreams, 0],
    [Setting.maxHeaderListSize, mostFields(limits)],
    [Setting.noRfc7540Priorities, 1],
  ])
}

const LARGEST_FRAME = 2 ** 24 - 1

/** What the peer has said of itself; until it does, what RFC 9113 section 6.5.2 says. */
export class PeerSettings {
  initialWindow = WINDOW
  readonly frameSize = FRAME_SIZE
  /** Its table of header fields is to be smaller than that of those who say nothing: it has to be told that it is. */
  smallTable = false
  /** Streams that it takes at a time. */
  maxStreams = Number.POSITIVE_INFINITY
  /** It takes another protocol in a stream (RFC 8441 section 3). */
  connectProtocol = false
  private readonly pushes: number
  private before = WINDOW

  constructor(peer: 'client' | 'server') {
    this.pushes = peer === 'client' ? 1 : 0
  }

  /** Takes one setting. Throws ConnectionError for a value that it may not have; unknown ones are ignored. */
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
        if (value > LARGEST_WINDOW)
          throw new ConnectionError(ErrorCode.flowControlError, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}.`)
        this.initialWindow = value
        return
      case Setting.maxFrameSize:
        if (value < FRAME_SIZE || value > LARGEST_FRAME) throw protocolError(`SETTINGS_MAX_FRAME_SIZE is ${value}.`)
        // Longer ones would keep other streams waiting.
        return
      case Setting.enableConnectProtocol:
        if (value > 1) throw protocolError(`SETTINGS_ENABLE_CONNECT_PROTOCOL is ${value}.`)
        this.connectProtocol = value === 1
    }
  }

  /** By how much the window of every stream has changed since this was last asked (RFC 9113 section 6.9.2). */
  changedWindow(): number {
    const change = this.initialWindow - this.before
    this.before = this.initialWindow
    return change
  }
}
