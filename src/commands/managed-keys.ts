import { systemClock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import { expiryExpected, readExpiry } from '../policies/auth/api-key/key-request.ts'
import { ManagedKeys } from '../policies/auth/api-key/managed-keys.ts'
import { KeyConnection } from '../policies/auth/api-key/key-connection.ts'
import { CommandError, UsageError } from './command.ts'

/** Works with the keys of a configuration file. Rejects with ConfigError, and with CommandError if that fails. */
export async function withKeysOf<Result>(file: string, work: (keys: ManagedKeys) => Promise<Result>): Promise<Result> {
  const { loadConfig } = await import('../config/load.ts')
  const connection = new KeyConnection(systemClock)
  try {
    return await work(new ManagedKeys(await loadConfig(file, process.env), connection, () => systemClock.wall()))
  } catch (error) {
    if (error instanceof GatewayError) throw new CommandError(error.detail ?? error.title, { cause: error })
    throw error
  } finally {
    connection.close()
  }
}

/** The expiry time of a key from an option, in wall-clock milliseconds. Throws UsageError. */
export function expiryOf(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const expires = readExpiry(written, Date.now())
  if (expires === null) throw new UsageError(`--expires: ${expiryExpected}`)
  return expires
}

/** A time in milliseconds as text. */
export function timeOf(time: number): string {
  return new Date(time).toISOString()
}
