import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuNanoseconds } from '../../bench/proc.ts'
import { attack } from './attack.ts'
import { Bystander } from './bystander.ts'
import type { Target } from './gateway.ts'

/** The cost of one flood. */
export interface Cost {
  /** Milliseconds until it was ended; null if that took longer than MAX. */
  readonly after: number | null
  readonly rounds: number
  /** CPU time of the gateway, in milliseconds, without other clients. */
  readonly cpu: number
  /** The growth of the gateway's memory, in bytes. */
  readonly memory: number
  /** The waiting times of another client, sorted, in milliseconds: before the flood, and for the same length of time from its beginning. */
  readonly before: readonly number[]
  readonly during: readonly number[]
}

/** Maximum duration of a flood, in milliseconds. */
const MAX = 2000
/** How long another client is watched, in milliseconds. */
const WATCHED = 1000

/** Floods it twice: alone, to measure the cost, and next to another client. */
export async function flood({ child, port }: Target, how: string): Promise<Cost> {
  const [cpu, memory] = [cpuNanoseconds([child.pid]), residentBytes(child.pid)]
  const { after, rounds } = await attack(port, how, MAX)
  await delay(50)
  const spent = cpuNanoseconds([child.pid]) - cpu
  const grown = residentBytes(child.pid) - memory
  const other = await Bystander.connect(port)
  try {
    const before = await other.ask(WATCHED)
    const [during] = await Promise.all([other.ask(WATCHED), attack(port, how, MAX)])
    return { after, rounds, cpu: spent / 1e6, memory: Math.max(0, grown), before, during }
  } finally {
    other.close()
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
