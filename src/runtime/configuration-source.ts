import type { PlanDocument } from '../config/plan/plan-document.ts'
import type { Outcome } from './reloader.ts'
import type { WrittenConfiguration } from './written-configuration.ts'

/** Where the configuration of a running gateway comes from, and can be read anew. */
export interface ConfigurationSource {
  /** The file that it is in. */
  readonly file: string
  /**
   * Reads it anew, and has it take the place of the running one. `force` also takes over what looks as if the file were not
   * written to its end. Never rejects.
   */
  reload(force: boolean): Promise<Outcome>
  /**
   * What would be different if a YAML text, or with null what the file says now, took the place of the running configuration. Rejects
   * with ConfigError where that would be refused for itself.
   */
  plan(text: string | null): Promise<PlanDocument>
  /** What operators change from outside. */
  readonly written: Pick<WrittenConfiguration, 'put' | 'confirm' | 'rollback' | 'until'>
}
