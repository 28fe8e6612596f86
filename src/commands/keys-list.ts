import type { Command } from 'commander'
import { alignColumns } from '../config/columns.ts'
import { addExamples, configOption } from './command.ts'
import { withKeysOf } from './managed-keys.ts'

const HEADINGS = ['ID', 'PREFIX', 'OWNER', 'TIER', 'ROLES', 'CREATED', 'EXPIRES', 'STORE']

/** What is shown of a key, wherever it is stored. */
interface Shown {
  readonly id: string
  readonly prefix?: string | undefined
  readonly owner?: string | undefined
  readonly tier: string
  readonly roles: readonly string[]
  readonly created?: number
  readonly expires?: number | null | undefined
}

interface Options {
  readonly config: string
}

/** `sallyport keys list`: lists the API keys of the configuration and those in its Redis; never the keys themselves. */
export function defineListKeys(command: Command): void {
  command
    .summary('list the API keys')
    .description('Lists the API keys in the configuration and in its Redis, never the keys themselves.')
    .addOption(configOption())
    .action(listKeys)
  addExamples(command, [['sallyport keys list', 'all keys of the configuration and its Redis']])
}

async function listKeys({ config }: Options): Promise<void> {
  const { configured, stored } = await withKeysOf(config, async (keys) => ({
    configured: keys.place.configured,
    stored: await keys.stored(),
  }))
  const now = Date.now()
  const rows = [
    ...configured.map((key) => rowOf(key, 'configuration', now)),
    ...stored.map((key) => rowOf(key, 'redis', now)),
  ]
  console.log(rows.length === 0 ? 'There are no API keys.' : alignColumns([HEADINGS, ...rows]))
}

function rowOf({ id, prefix, owner, tier, roles, created, expires }: Shown, store: string, now: number): string[] {
  const end = `${dayOf(expires)}${(expires ?? Infinity) <= now ? ' (over)' : ''}`
  const cells = [id, prefix ?? '-', owner ?? id, tier, roles.join(',') || '-', dayOf(created), end, store]
  // Values in Redis may come from others and must not control the terminal.
  return cells.map((cell) => cell.replace(/\p{C}/gu, '?'))
}

function dayOf(time: number | null | undefined): string {
  return time === null || time === undefined ? '-' : new Date(time).toISOString().slice(0, 10)
}
