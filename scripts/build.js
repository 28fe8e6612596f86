/**
 * Builds dist/: the gateway, and the console with its non-script files. Plain JavaScript, because images are built without type definitions
 * for Node.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

rmSync(join(root, 'dist'), { recursive: true, force: true })
for (const project of ['tsconfig.build.json', 'src/console/tsconfig.build.json'])
  execFileSync(process.execPath, [tsc, '-p', join(root, project)], { stdio: 'inherit' })
for (const name of readdirSync(join(root, 'src/console')).filter((each) => each.endsWith('.css')))
  cpSync(join(root, 'src/console', name), join(root, 'dist/console', name))
