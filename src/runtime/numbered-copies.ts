import { rename } from 'node:fs/promises'
import { codeOf } from '../core/error-facts.ts'

/** Names a copy of what a file held before: 1 for the last one. */
export function copyOf(file: string, age: number): string {
  return `${file}.${age}`
}

/** Makes room for one more copy beside a file that has so many: each is a number older afterwards, and the oldest is gone. */
export async function ageCopies(file: string, copies: number): Promise<void> {
  for (let age = copies - 1; age >= 1; age--)
    await rename(copyOf(file, age), copyOf(file, age + 1)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
}
