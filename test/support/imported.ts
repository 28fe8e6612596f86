import { hash } from 'node:crypto'
import { loadWhole } from '../../src/config/load.ts'
import { ReadFiles } from '../../src/config/read-files.ts'
import { tryPolicies } from '../../src/front/try-policies.ts'
import type { GatewayConfig } from '../../src/config/schema.ts'
import type { Imported } from '../../src/import/imported.ts'
import type { ImportVariable } from '../../src/import/report.ts'

/** The digest of an unknown password. */
export const DIGEST = '$scrypt$ln=15,r=8,p=3$IUwhBKDUm0K0dERWJ0eySQ$0lqcuvLXWdgGuO3eMPIc9rCHSw4Uc2UFqh6ndm1rZYs'

/** Checks an imported configuration like `sallyport check`, with its variables set. Rejects with ConfigError or PolicyError. */
export async function checkImported({ yaml, report }: Imported): Promise<GatewayConfig> {
  const environment = Object.fromEntries(report.variables.map((variable) => [variable.name, valueFor(variable)]))
  const { config, chain } = await loadWhole('sallyport.yaml', environment, new ReadFiles(), yaml)
  await tryPolicies(config, chain)
  return config
}

/** A value that is valid wherever such a variable is used. */
function valueFor({ name, what }: ImportVariable): string {
  const bytes = /at least (\d+) bytes/.exec(what)?.[1]
  if (bytes !== undefined) return 'x'.repeat(Number(bytes))
  if (name.endsWith('_SHA256')) return hash('sha256', name)
  if (name.endsWith('_DIGEST')) return DIGEST
  if (/ISSUER|URL|URI|ENDPOINT/.test(name)) return 'https://id.test'
  return /PORT/.test(name) ? '8080' : 'a-text-of-exactly-63-bytes-as-it-is-a-name-of-the-dns-too-0001'.slice(0, 63)
}
