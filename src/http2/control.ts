import type { ControlFrames } from './frame-reader.ts'
import { pingFrame, SETTINGS_ACK } from './frames.ts'
import type { Output } from './output.ts'
import { Cost, type Patience } from './patience.ts'
import type { Sender, SendingStream } from './sender.ts'
import { PeerSettings } from './settings.ts'

/** Whose connection it is. */
export interface ControlOptions {
  readonly peer: 'client' | 'server'
  readonly output: Output
  readonly patience: Patience
  readonly sender: Sender
  /** What has come before the settings has begun by now: the streams that there are. */
  readonly streams: () => Iterable<SendingStream>
  /** The peer has said how it wants things. */
  readonly settled: () => void
  /** The peer has answered a PING of those 8 octets. */
  readonly answered: (content: string) => void
}

/** Takes what the frames of a connection say that are of no stream: what its peer wants, whether it is there. */
export class Control implements ControlFrames {
  /** What the peer has said of itself. */
  readonly peer: PeerSettings
  private readonly options: ControlOptions

  constructor(options: ControlOptions) {
    this.options = options
    this.peer = new PeerSettings(options.peer)
  }

  setting(id: number, value: number): void {
    this.peer.set(id, value)
  }

  settings(): void {
    const { output, patience, sender, streams, settled } = this.options
    const open = streams()
    patience.spend(Cost.settings, 'SETTINGS frames')
    output.put(SETTINGS_ACK)
    if (this.peer.smallTable) sender.emptyTable()
    const change = this.peer.changedWindow()
    if (change !== 0) sender.widenAll(open, change)
    settled()
  }

  settingsAcknowledged(): void {
    this.options.patience.spend(1, 'SETTINGS frames')
  }

  ping(content: string): void {
    const { output, patience } = this.options
    patience.spend(1, 'PING frames')
    output.put(pingFrame(content, true))
  }

  pingAcknowledged(content: string): void {
    const { patience, answered } = this.options
    patience.spend(1, 'PING frames')
    answered(content)
  }

  ignored(): void {
    this.options.patience.spend(1, 'frames that say nothing')
  }
}
