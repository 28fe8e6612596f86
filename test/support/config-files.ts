import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder with files in it; returns the path of each. */
export function folderOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content)
  for (const [name, content] of Object.entries(files)) write(name, content)
  return { path: (name: string) => join(folder, name), write }
}

/** The code of its policy. */
export const POLICY = `import { definePolicy, z } from 'sallyport'
import { value } from './value.ts'
export default definePolicy({ name: 'mark', summary: 'Marks.', options: z.strictObject({}), create: () => (next) => next })
export { value }
`
/** The text of a configuration that reads every kind of file. */
export const YAML = `# a comment
secrets: ["\${file:secret}"]
trustedProxies: [{ file: networks.txt }]
ownPolicies: [./mark.ts]
policies: { mark: {}, validation: { openapi: { document: openapi.yaml } } }
routes: [{ id: a, match: { path: /a }, reply: {} }]
`
/** All files of that configuration. */
export const FILES = {
  'sallyport.yaml': YAML,
  secret: `${'s'.repeat(32)}\n`,
  'networks.txt': '10.0.0.0/8\n',
  'mark.ts': POLICY,
  'value.ts': 'export const value = 1',
  'openapi.yaml':
    'openapi: 3.1.0\ninfo: { title: a, version: "1" }\npaths: { /a: { get: { responses: { 200: { description: ok } } } } }',
}
