import { readFile } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { Turns } from '../core/turns.ts'
import type { Applied, Candidate, Outcome, Reload, Reloads } from './reloader.ts'
import { checkReplaceable, replaceFile, ReplaceError } from './replace-file.ts'

/** Changes that are under way or wait, each with a text of its own. */
const WAITING = 8

/** A configuration that operators send. */
export interface Change {
  readonly text: string
  /** Once the changes before it are over: throws where this one may not be made any more. */
  readonly check: () => void
  /** Even where it looks as if it were not whole, or the file is another one than that of the running configuration. */
  readonly force: boolean
  /** It is taken back after so many milliseconds unless it is confirmed; null for one that counts at once. */
  readonly confirm: number | null
}

/** What is applied until it is confirmed, or its time is over. */
interface Trial {
  readonly text: string
  /** What the file held when that was applied. */
  readonly found: string
  readonly before: Applied
  readonly generation: number
  /** When it is taken back, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly until: number
  readonly cancel: () => void
}

export interface WrittenConfigurationOptions {
  readonly file: string
  /** Whether the file is code, which nobody but its author can write. */
  readonly isModule: boolean
  readonly reloads: () => Reloads
  /** Reads a text as if it stood in the file. Rejects with ConfigError. */
  readonly read: (text: string) => Promise<Candidate>
  /** Has what is read take the place of the running configuration. Never rejects. */
  readonly reload: (read: () => Promise<Candidate>, how: Reload) => Promise<Outcome>
  /** Reads the file anew, once it has been written. Never rejects. */
  readonly reread: () => Promise<Outcome>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * The file of a configuration, which operators change from outside: a text is applied before it is written, so that the file
 * never has one that the gateway has not taken over, nor one that nobody has confirmed. One change at a time.
 */
export class WrittenConfiguration {
  private readonly options: WrittenConfigurationOptions
  private readonly turns = new Turns()
  private trial: Trial | null = null

  constructor(options: WrittenConfigurationOptions) {
    this.options = options
  }

  /** When the running configuration is taken back unless it is confirmed, in milliseconds since 1970-01-01T00:00:00Z; null where it is not. */
  get until(): number | null {
    return this.awaited?.until ?? null
  }

  /**
   * Changes to a text in all workers, and writes it to the file, at once or when it is confirmed. Rejects with GatewayError
   * 'conflict' that says what to do, 'too-busy', or what `check` throws; nothing has changed then.
   */
  put({ text, check, force, confirm }: Change): Promise<Outcome> {
    return this.inTurn(async () => {
      check()
      const { awaited } = this
      if (awaited !== null) {
        const until = new Date(awaited.until).toISOString()
        throw new GatewayError(
          'conflict',
          `A change waits for its confirmation until ${until}: confirm it, or roll it back.`,
        )
      }
      const { applied: before } = this.options.reloads()
      const outcome = await this.change(text, { force })
      if (outcome.outcome === 'refused') return outcome
      const { generation } = outcome.applied
      if (confirm === null || outcome.outcome === 'unchanged') await this.publish(text, before)
      else await this.await({ text, before, generation }, confirm)
      return outcome
    })
  }

  /** Writes what waits for it to the file. Rejects with GatewayError 'conflict' where nothing does, or that cannot be. */
  confirm(): Promise<Applied> {
    return this.inTurn(async () => {
      const { awaited } = this
      if (awaited === null) throw new GatewayError('conflict', 'No change waits for its confirmation.')
      const { text, found, cancel } = awaited
      await this.checkFile(found)
      await asConflict(replaceFile(this.options.file, text))
      cancel()
      this.trial = null
      return (await this.options.reread()).applied
    })
  }

  /**
   * Goes back to the configuration before the running one: the one that waits for its confirmation is taken back, and else
   * the text that was applied before is put into the file. Rejects as `put` does.
   */
  rollback(check: () => void, force: boolean): Promise<Outcome> {
    return this.inTurn(async () => {
      const { awaited } = this
      if (awaited !== null) return this.takeBack(awaited)
      check()
      const { applied: before, earlier } = this.options.reloads()
      const [last] = earlier
      if (last === undefined)
        throw new GatewayError(
          'conflict',
          'This process has had no other configuration before: send one with PUT /config.',
        )
      const outcome = await this.change(last.text, { force, back: true })
      if (outcome.outcome !== 'refused') await this.publish(last.text, before)
      return outcome
    })
  }

  /** The process ends: what waits for its confirmation was never in the file. */
  stop(): void {
    const { awaited } = this
    if (awaited === null) return
    awaited.cancel()
    this.options.log.warn({}, 'A change that nobody has confirmed ends with the process: the file has the one before')
  }

  /** What is applied and waits; none where another one was applied since. */
  private get awaited(): Trial | null {
    return this.trial?.generation === this.options.reloads().applied.generation ? this.trial : null
  }

  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.turns.length < WAITING) return this.turns.take(work)
    throw new GatewayError('too-busy', 'Too many changes are under way: try again in a few seconds.')
  }

  /** Has the text applied, once it is known that it can be written. */
  private async change(text: string, how: Reload): Promise<Outcome> {
    const { file, isModule, reloads, read, reload } = this.options
    if (isModule)
      throw new GatewayError(
        'conflict',
        `${file} is a module: change it there, and have it read anew with POST /config/reload.`,
      )
    if (how.force !== true) await this.checkFile(reloads().applied.text)
    await asConflict(checkReplaceable(file, text))
    return reload(() => read(text), { ...how, force: how.force === true || how.back === true })
  }

  /** Throws GatewayError 'conflict' where somebody else has changed the file. */
  private async checkFile(expected: string | null): Promise<void> {
    const { file } = this.options
    const found = await readFile(file, 'utf8').catch(() => null)
    if (found === null || found === expected) return
    throw new GatewayError(
      'conflict',
      `${file} has been changed and not reloaded: apply it with POST /config/reload, or add ?force=true to ` +
        'replace it. A copy is kept.',
    )
  }

  /** What is applied stands in the file afterwards, or the one before is applied again. */
  private async publish(text: string, before: Applied): Promise<void> {
    const { file, reload, reread } = this.options
    try {
      await replaceFile(file, text)
    } catch (error) {
      await reload(async () => before, { force: true, back: true })
      throw conflictOf(error)
    }
    await reread()
  }

  private async await(change: Pick<Trial, 'text' | 'before' | 'generation'>, patience: number): Promise<void> {
    const { file, clock, log } = this.options
    const cancel = clock.after(patience, () => void this.turns.take(() => this.expire(trial)))
    const trial: Trial = { ...change, found: await readFile(file, 'utf8'), until: clock.wall() + patience, cancel }
    this.trial = trial
    log.warn(
      { generation: change.generation, seconds: patience / 1000 },
      'A change is applied, and rolled back unless it is confirmed',
    )
  }

  private async expire(trial: Trial): Promise<void> {
    if (this.awaited !== trial) return
    this.options.log.warn({ generation: trial.generation }, 'A change was not confirmed in time, and is rolled back')
    await this.takeBack(trial)
  }

  private takeBack({ before, cancel }: Trial): Promise<Outcome> {
    cancel()
    this.trial = null
    return this.options.reload(async () => before, { force: true, back: true })
  }
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
