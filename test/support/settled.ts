import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { Gateway, PoolSize } from '../../src/gateway.ts'
import { TIMEOUT } from './timeout.ts'

/** A number of turns of the event loop after which everything that happens only in this process has happened. */
const TURNS = 50

/**
 * Lets the event loop turn until `reached` returns true. What takes longer depends on another process or on the machine, and is waited for
 * without using the CPU.
 */
export async function turnUntil(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + TIMEOUT
  for (let turn = 0; !(await reached()); turn++) {
    assert.ok(performance.now() < end, `waited for ${what}`)
    await (turn < TURNS ? new Promise(setImmediate) : setTimeout(5))
  }
}

/** The pool of the nth instance of the service "backend". */
export function poolOf({ pools }: Gateway, n = 0): PoolSize {
  return Object.values(pools['backend']!)[n]!
}

/** What an idle gateway holds some time after the last request. */
export const NOTHING = { connections: 0, watched: 0, idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 }

/** What a gateway holds at the moment. */
export function holdings({ connections, watched, pools }: Gateway) {
  const sum = { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 }
  for (const pool of Object.values(pools).flatMap((instances) => Object.values(instances)))
    for (const key of ['idle', 'busy', 'connecting', 'streaming', 'waiting'] as const) sum[key] += pool[key]
  return { connections, watched, ...sum }
}

/** Waits until nothing is open or watched except idle connections to the services; fails with what is left. */
export async function settled(gateway: Gateway): Promise<void> {
  const left = (): string => JSON.stringify(holdings(gateway))
  const quiet = (): boolean => {
    const { connections, watched, idle, busy, connecting, streaming, waiting } = holdings(gateway)
    return connections + busy + connecting + streaming + waiting === 0 && watched === idle
  }
  try {
    await turnUntil('everything to be closed', quiet)
  } catch {
    assert.fail(`the gateway still holds ${left()}`)
  }
}
