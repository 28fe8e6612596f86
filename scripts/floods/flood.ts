import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuNanoseconds } from '../../bench/proc.ts'
import { attack } from './attack.ts'
import { Bystander } from './bystander.ts'
import type { Target } from './gateway.ts'

/** What one flood has cost. */
export interface Cost {
  /** Milliseconds until it was ended; null where it was not within MOST. */
  readonly after: number | null
  readonly rounds: number
  /** CPU time of the gateway, in milliseconds, while nobody else asked for anything. */
  readonly cpu: number
  /** By how much the gateway's memory grew, in bytes. */
  readonly memory: number
  /** How long another client waited, sorted, in milliseconds: before it, and from its beginning on for as long. */
  readonly before: readonly number[]
  readonly during: readonly number[]
}

/** How long a flood may last, in milliseconds. */
const MOST = 2000
/** How long another client is watched. */
const WATCHED = 1000

/** Floods it twice: alone, to see what that costs, and beside another client. */
export async function flood({ child, port }: Target, how: string): Promise<Cost> {
  const [cpu, memory] = [cpuNanoseconds([child.pid]), residentBytes(child.pid)]
  const { after, rounds } = await attack(port, how, MOST)
  await delay(50)
  const spent = cpuNanoseconds([child.pid]) - cpu
  const grown = residentBytes(child.pid) - memory
  const other = await Bystander.connect(port)
  try {
    const before = await other.ask(WATCHED)
    const [during] = await Promise.all([other.ask(WATCHED), attack(port, how, MOST)])
    return { after, rounds, cpu: spent / 1e6, memory: Math.max(0, grown), before, during }
  } finally {
    other.close()
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
