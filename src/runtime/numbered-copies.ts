import { rename } from 'node:fs/promises'
import { codeOf } from '../core/error-facts.ts'

/** Name of a backup copy of a file: 1 is the newest. */
export function copyOf(file: string, age: number): string {
  return `${file}.${age}`
}

/** Makes room for a new backup of a file with that many: increments their numbers and deletes the oldest. */
export async function ageCopies(file: string, copies: number): Promise<void> {
  for (let age = copies - 1; age >= 1; age--)
    await rename(copyOf(file, age), copyOf(file, age + 1)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
}
