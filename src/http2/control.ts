import type { ControlFrames } from './frame-reader.ts'
import { pingFrame, SETTINGS_ACK } from './frames.ts'
import type { Output } from './output.ts'
import { Cost, type WorkBudget } from './work-budget.ts'
import type { Sender, SendingStream } from './sender.ts'
import { PeerSettings } from './settings.ts'

/** The connection that a Control belongs to. */
export interface ControlOptions {
  readonly peer: 'client' | 'server'
  readonly output: Output
  readonly workBudget: WorkBudget
  readonly sender: Sender
  /** All current streams; called first, so that messages that arrived before the settings have been processed. */
  readonly streams: () => Iterable<SendingStream>
  /** The peer has sent settings. */
  readonly settled: () => void
  /** The peer has answered a PING with those 8 bytes. */
  readonly answered: (content: string) => void
}

/** Handles the frames that belong to the connection rather than to a stream: settings, and PING. */
export class Control implements ControlFrames {
  /** The peer's settings. */
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
    const { output, workBudget, sender, streams, settled } = this.options
    const open = streams()
    workBudget.spend(Cost.settings, 'SETTINGS frames')
    output.put(SETTINGS_ACK)
    if (this.peer.smallTable) sender.emptyTable()
    const change = this.peer.changedWindow()
    if (change !== 0) sender.widenAll(open, change)
    settled()
  }

  settingsAcknowledged(): void {
    this.options.workBudget.spend(1, 'SETTINGS frames')
  }

  ping(content: string): void {
    const { output, workBudget } = this.options
    workBudget.spend(1, 'PING frames')
    output.put(pingFrame(content, true))
  }

  pingAcknowledged(content: string): void {
    const { workBudget, answered } = this.options
    workBudget.spend(1, 'PING frames')
    answered(content)
  }

  ignored(): void {
    this.options.workBudget.spend(1, 'frames without effect')
  }
}
