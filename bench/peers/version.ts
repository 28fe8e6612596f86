import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { findProgram } from '../children.ts'

const manifest = z.object({ version: z.string() })

/** The first version number in a program's output; undefined if it is not installed. */
export function programVersion(name: string, args: string[]): string | undefined {
  const program = findProgram(name)
  if (program === undefined) return undefined
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return /\d+\.\d+[\w.+-]*/.exec(stdout + stderr)?.[0] ?? 'unknown'
}

/** The version of a package in bench/node_modules; undefined if it is not installed. */
export function packageVersion(name: string): string | undefined {
  const path = join(import.meta.dirname, '../node_modules', name, 'package.json')
  if (!existsSync(path)) return undefined
  return manifest.parse(JSON.parse(readFileSync(path, 'utf8'))).version
}
