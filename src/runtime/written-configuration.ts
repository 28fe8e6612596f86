import { readFile } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { Semaphore } from '../core/semaphore.ts'
import { type Asker, type Origin, originOf } from './origin.ts'
import {
  type Applied,
  type Candidate,
  type Earlier,
  lastOf,
  type Outcome,
  type Reload,
  type Reloads,
} from './reloads.ts'
import { checkReplaceable, replaceFile, ReplaceError } from './replace-file.ts'

/** Maximum number of changes in progress or waiting, each with its own text. */
const WAITING = 8

/** A configuration sent by an operator. */
export interface Change {
  readonly text: string
  /** Called once the changes before it are complete: throws if this one is no longer permitted. */
  readonly check: () => void
  /** Accept it even if it looks incomplete, or if the file differs from the running configuration. */
  readonly force: boolean
  /** Time in milliseconds after which it is reverted unless confirmed; null if it is final immediately. */
  readonly confirm: number | null
  readonly asker: Asker
}

/** What a change that does not last returns to. */
interface Before {
  readonly applied: Applied
  /** The texts that could be restored then. */
  readonly earlier: readonly Earlier[]
}

/** A text that is applied and not yet written. */
interface Accepted {
  readonly text: string
  /** The content of the file before it was applied; null if that does not matter, or if it could not be read. */
  readonly found: string | null
  readonly before: Before
  readonly applied: Applied
}

/** A configuration that is applied until it is confirmed or its time is up. */
interface Trial extends Accepted {
  /** When it is reverted, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly until: number
  readonly cancel: () => void
}

export interface WrittenConfigurationOptions {
  readonly file: string
  /** Whether the file is a code module, which only its author can change. */
  readonly isModule: boolean
  readonly reloads: () => Reloads
  /** Reads a text as if it were the content of the file. Rejects with ConfigError. */
  readonly read: (text: string) => Promise<Candidate>
  /** Replaces the running configuration with the one that is read. Never rejects. */
  readonly reload: (read: () => Promise<Candidate>, how: Reload) => Promise<Outcome>
  /** Reloads the file after it was written. Never rejects. */
  readonly reread: () => Promise<Outcome>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * The configuration file, as changed remotely by operators. A text is applied before it is written, so that the file never contains a
 * configuration that the gateway has not accepted, or one that is unconfirmed. One change at a time.
 */
export class WrittenConfiguration {
  private readonly options: WrittenConfigurationOptions
  private readonly turns = new Semaphore()
  private trial: Trial | null = null

  constructor(options: WrittenConfigurationOptions) {
    this.options = options
  }

  /** When the running configuration is reverted unless confirmed, in milliseconds since 1970-01-01T00:00:00Z; null if it is final. */
  get until(): number | null {
    return this.awaited?.until ?? null
  }

  /**
   * Applies a text in all workers and writes it to the file, immediately or when it is confirmed. On failure, rejects with GatewayError
   * 'conflict', which says what to do, or 'too-busy', or with the error of `check`; nothing has changed then.
   */
  put({ text, check, force, confirm, asker }: Change): Promise<Outcome> {
    return this.inTurn(async () => {
      check()
      const { awaited } = this
      if (awaited !== null) {
        const until = new Date(awaited.until).toISOString()
        throw new GatewayError(
          'conflict',
          `A change is waiting for confirmation until ${until}: confirm it, or roll it back.`,
        )
      }
      const { before } = this
      const { outcome, found } = await this.change(text, { force, origin: originOf('sent', asker) })
      if (outcome.outcome === 'refused') return outcome
      const { applied } = outcome
      if (confirm !== null && outcome.outcome === 'applied') this.await({ text, found, before, applied }, confirm)
      else await this.publish({ text, found: force ? null : found, before, applied })
      return outcome
    })
  }

  /**
   * Writes the unconfirmed configuration to the file. Rejects with GatewayError 'conflict' if there is none, or if it cannot be written, or
   * with the error of `check`.
   */
  confirm(check: () => void): Promise<Applied> {
    return this.inTurn(async () => {
      check()
      const { awaited } = this
      if (awaited === null) throw new GatewayError('conflict', 'No change is waiting for confirmation.')
      const { text, found, cancel } = awaited
      this.checkFile(
        await contentOf(this.options.file),
        found,
        'roll back, or apply the file with POST /config/reload, which ends the change that waits.',
      )
      await asConflict(replaceFile(this.options.file, text))
      cancel()
      this.trial = null
      return (await this.options.reread()).applied
    })
  }

  /**
   * Returns to the configuration before the running one: an unconfirmed configuration is reverted; otherwise the previously applied text is
   * written to the file. Rejects in the same way as `put`. `check` is called with whether the running configuration is unconfirmed.
   */
  rollback(check: (isUnconfirmed: boolean) => void, force: boolean, asker: Asker): Promise<Outcome> {
    return this.inTurn(async () => {
      const origin = originOf('went_back', asker)
      const { awaited } = this
      check(awaited !== null)
      if (awaited !== null) return this.takeBack(awaited, origin)
      const { before } = this
      const last = lastOf(before)
      const { outcome, found } = await this.change(last.text, { force, back: before.earlier.slice(1), origin })
      if (outcome.outcome === 'refused') return outcome
      await this.publish({ text: last.text, found: force ? null : found, before, applied: outcome.applied })
      return outcome
    })
  }

  /** The process is ending: an unconfirmed configuration was never in the file. */
  stop(): void {
    const { awaited } = this
    if (awaited === null) return
    awaited.cancel()
    this.options.log.warn(
      {},
      'A change that was not confirmed ends with the process: the file has the previous configuration',
    )
  }

  /** The applied, unconfirmed configuration; null if another one has been applied since, or if it was read from the file. */
  private get awaited(): Trial | null {
    return this.trial?.applied === this.options.reloads().applied ? this.trial : null
  }

  private get before(): Before {
    const { applied, earlier } = this.options.reloads()
    return { applied, earlier }
  }

  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.turns.length < WAITING) return this.turns.run(work)
    throw new GatewayError('too-busy', 'Too many changes are in progress: try again in a few seconds.')
  }

  /** Applies the text, after checking that it can be written. `found` is what the file had before. */
  private async change(text: string, how: Reload): Promise<{ outcome: Outcome; found: string | null }> {
    const { file, isModule, reloads, read, reload } = this.options
    if (isModule)
      throw new GatewayError(
        'conflict',
        `${file} is a module: change it there, and reload it with POST /config/reload.`,
      )
    const found = await contentOf(file)
    if (how.force !== true) this.checkFile(found, reloads().applied.text, REPLACES)
    await asConflict(checkReplaceable(file, text))
    const outcome = await reload(() => read(text), { ...how, force: how.force === true || how.back !== undefined })
    return { outcome, found }
  }

  /** Throws GatewayError 'conflict', with what to do, if the file was changed by someone else. `found`: its content; null if it cannot be read. */
  private checkFile(found: string | null, expected: string | null, advice: string): void {
    if (found === null || found === expected) return
    throw new GatewayError('conflict', `${this.options.file} has been changed and not reloaded: ${advice}`, {
      members: { fileChanged: true },
    })
  }

  /** Writes the applied text to the file; if that fails, or if the file was changed meanwhile, applies the previous configuration again. */
  private async publish({ text, found, before, applied }: Accepted): Promise<void> {
    const { file, reread } = this.options
    try {
      if (found !== null) this.checkFile(await contentOf(file), found, REPLACES)
      await replaceFile(file, text)
    } catch (error) {
      await this.returnTo(before, applied, before.applied.origin)
      throw conflictOf(error)
    }
    await reread()
  }

  private await(change: Accepted, timeout: number): void {
    const { clock, log } = this.options
    const cancel = clock.after(timeout, () => void this.turns.run(() => this.expire(trial)))
    const trial: Trial = { ...change, until: clock.wall() + timeout, cancel }
    this.trial = trial
    log.warn(
      { generation: change.applied.generation, seconds: timeout / 1000 },
      'A change was applied, and will be rolled back unless it is confirmed',
    )
  }

  private async expire(trial: Trial): Promise<void> {
    if (this.awaited !== trial) return
    this.options.log.warn(
      { generation: trial.applied.generation },
      'A change was not confirmed in time and is rolled back',
    )
    await this.takeBack(trial, originOf('expired'))
  }

  private takeBack({ before, applied, cancel }: Trial, origin: Origin): Promise<Outcome> {
    cancel()
    this.trial = null
    return this.returnTo(before, applied, origin)
  }

  /** Unless `instead` has been replaced by then, for example by the file. */
  private returnTo({ applied, earlier }: Before, instead: Applied, origin: Origin): Promise<Outcome> {
    const { rewritten } = applied
    return this.options.reload(async () => applied, { force: true, back: earlier, origin, rewritten, instead })
  }
}

const REPLACES = 'apply it with POST /config/reload, or add ?force=true to replace it. A copy is kept.'

function contentOf(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null)
}

async function asConflict(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw conflictOf(error)
  })
}

function conflictOf(error: unknown): unknown {
  return error instanceof ReplaceError
    ? new GatewayError('conflict', `${sentence(error.message)}.`, { cause: error })
    : error
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
