import {
  type ConfiguredNetworks,
  type HeldNetworks,
  namesFiles,
  networksChangedTopic,
  networksOf,
  networksTopic,
} from '../core/held-networks.ts'
import { NetworkSet } from '../core/network-set.ts'
import { Shared } from '../core/shared.ts'
import type { PolicyToolbox } from './policy.ts'

/** Networks of the configuration, of files as they are now. */
export interface LiveNetworks {
  /** False for a text that is no address. */
  has(address: string): boolean
}

/** Those of a thread: routes that configure the same have one in common. */
const lists = new Shared<NetworksOfFiles>()

/** What an option with networks stands for, now and after each change of its files. */
export function liveNetworks(configured: ConfiguredNetworks, toolbox: PolicyToolbox): LiveNetworks {
  if (!namesFiles(configured)) return new NetworkSet(networksOf(configured, {}))
  return lists.get(toolbox.holder, JSON.stringify(configured), () => new NetworksOfFiles(configured, toolbox))
}

/** Goes by what the main thread says of the files, which it reads. */
class NetworksOfFiles implements LiveNetworks {
  private readonly configured: ConfiguredNetworks
  private readonly endAnswers: () => void
  private set: NetworkSet
  private version = 0

  constructor(configured: ConfiguredNetworks, { answer, threads }: PolicyToolbox) {
    this.configured = configured
    this.set = new NetworkSet(networksOf(configured, {}))
    this.endAnswers = answer(networksChangedTopic, (held) => {
      this.learn(held)
      return null
    })
    // What has changed since the configuration was read, as where a worker takes the place of another one.
    void threads.askMain(networksTopic, null).then((answers) => {
      for (const held of answers) this.learn(held)
    })
  }

  has(address: string): boolean {
    return this.set.has(address)
  }

  close(): void {
    this.endAnswers()
  }

  private learn({ version, files }: HeldNetworks): void {
    if (version <= this.version) return
    this.version = version
    this.set = new NetworkSet(networksOf(this.configured, files))
  }
}
