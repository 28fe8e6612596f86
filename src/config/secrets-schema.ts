import { oneOrMore } from '../core/one-or-more.ts'
import { secretText } from '../core/secret-text.ts'
import { SECRET_LENGTH } from '../core/secrets.ts'
import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import { fieldOf } from '../core/value.ts'

/** Schema of the secrets that keys are derived from. */
export const secretsSchema = oneOrMore(secretText)

/** The problem of a part of the configuration that needs `secrets` if there are none; `what` names the part, such as "session tickets". */
export function checkSecrets(config: unknown, path: Path, what: string): Finding[] {
  if (fieldOf(config, 'secrets') !== undefined) return []
  const message = `${what} need "secrets" at the top level of the configuration; expected a text of at least ${SECRET_LENGTH} bytes there`
  return [{ path, isKey: false, message }]
}
