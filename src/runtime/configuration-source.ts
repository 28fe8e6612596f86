import type { PlanDocument } from '../config/plan/plan-document.ts'
import type { Asker } from './origin.ts'
import type { Outcome } from './reloads.ts'
import type { WrittenConfiguration } from './written-configuration.ts'

/** Where a running gateway gets its configuration from, and can reload it. */
export interface ConfigurationSource {
  /** The configuration file. */
  readonly file: string
  /** Reads the configuration again and puts it into effect. `force` also accepts a file that looks incomplete. Never rejects. */
  reload(force: boolean, asker: Asker): Promise<Outcome>
  /**
   * The differences if YAML text, or (null) the current content of the file, replaced the running configuration. Rejects with ConfigError
   * if it is invalid.
   */
  plan(text: string | null): Promise<PlanDocument>
  /** Changes that operators make remotely. */
  readonly written: Pick<WrittenConfiguration, 'put' | 'confirm' | 'rollback' | 'until'>
}
