import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { z } from 'zod'

type Parameters = Readonly<Record<string, SQLInputValue>>

const count = z.object({ total: z.int() })

/** Reads typed rows: the columns of each SELECT are the members of the schema. */
export interface Reader<T> {
  /** The first row, if there is one; `where` is an SQL condition with named parameters. */
  first(where: string, parameters: Parameters): T | undefined
  /** All rows that meet the condition, in the reader's order. */
  all(where: string, parameters: Parameters): T[]
  /** One page of the rows that meet the condition, with their total. */
  page(where: string, parameters: Parameters, window: Window): { items: T[]; total: number } & Window
}

/** The requested part of a list. */
interface Window {
  limit: number
  offset: number
}

/** A reader of one table, with its rows in the given order. */
export function reader<T>(database: DatabaseSync, table: string, schema: z.ZodType<T>, order: string): Reader<T> {
  const rows = (tail: string, parameters: Parameters): T[] =>
    schema.array().parse(database.prepare(`SELECT * FROM ${table} WHERE ${tail}`).all(parameters))
  return {
    first: (where, parameters) => rows(`${where} LIMIT 1`, parameters)[0],
    all: (where, parameters) => rows(`${where} ORDER BY ${order}`, parameters),
    page(where, parameters, { limit, offset }) {
      const counted = database.prepare(`SELECT count(*) AS total FROM ${table} WHERE ${where}`).get(parameters)
      const items = rows(`${where} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`, parameters)
      return { items, total: count.parse(counted).total, limit, offset }
    },
  }
}

/** Adds a row whose columns are the members of the object. */
export function insert(database: DatabaseSync, table: string, row: Parameters): void {
  const columns = Object.keys(row)
  const names = columns.map((column) => `"${column}"`).join(', ')
  const places = columns.map((column) => `:${column}`).join(', ')
  database.prepare(`INSERT INTO ${table} (${names}) VALUES (${places})`).run(row)
}

/** Runs the steps as one: all of them happen, or none when one throws. */
export function transaction<T>(database: DatabaseSync, steps: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = steps()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
