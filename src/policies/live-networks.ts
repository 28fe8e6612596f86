import {
  type ConfiguredNetworks,
  type NetworkFileContents,
  hasNetworkFiles,
  networksChangedTopic,
  networksOf,
  networksTopic,
} from '../core/network-file-contents.ts'
import { NetworkSet } from '../core/network-set.ts'
import { Shared } from '../core/shared.ts'
import type { PolicyToolbox } from './policy.ts'

/** The networks of an option, with the current contents of the files that it names. */
export interface LiveNetworks {
  /** False for a text that is not an address. */
  has(address: string): boolean
}

/** The network lists of a thread: routes with the same configuration share one. */
const lists = new Shared<NetworksOfFiles>()

/** The networks that an option stands for, now and after each change of its files. */
export function liveNetworks(configured: ConfiguredNetworks, toolbox: PolicyToolbox): LiveNetworks {
  if (!hasNetworkFiles(configured)) return new NetworkSet(networksOf(configured, {}))
  return lists.get(toolbox.holder, JSON.stringify(configured), () => new NetworksOfFiles(configured, toolbox))
}

/** Kept up to date by the main thread, which reads the files. */
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
    // Changes since the configuration was read, for example if this worker replaces another one.
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

  private learn({ version, files }: NetworkFileContents): void {
    if (version <= this.version) return
    this.version = version
    this.set = new NetworkSet(networksOf(this.configured, files))
  }
}
