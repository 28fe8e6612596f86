import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { text, word } from '../support/fields.ts'
import { insert, reader } from '../support/table.ts'
import { hashPassword } from './passwords.ts'

const userRow = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  passwordHash: z.string(),
  /** Comma-separated. */
  roles: z.string(),
  tier: z.string().nullable(),
  createdAt: z.string(),
})

/** A role as it is stored and as clients see it. */
export const role = z.object({ name: word, description: text() }).meta({ id: 'Role' })

const sessionRow = z.object({ refreshHash: z.string(), jti: z.string(), userId: z.string(), expiresAt: z.string() })

const revocationRow = z.object({ jti: z.string(), expiresAt: z.string() })

/** A user as it is stored. */
export type UserRow = z.infer<typeof userRow>

/** The tables of the user service; instances that share one serve the same users. */
export type UserDatabase = Awaited<ReturnType<typeof openUserDatabase>>

/** A database in memory with alice (user) and admin (admin) in it. */
export async function openUserDatabase() {
  const sql = new DatabaseSync(':memory:')
  sql.exec(`
    CREATE TABLE users (
      id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, passwordHash TEXT NOT NULL,
      roles TEXT NOT NULL, tier TEXT, createdAt TEXT NOT NULL
    ) STRICT;
    CREATE TABLE roles (name TEXT PRIMARY KEY, description TEXT NOT NULL) STRICT;
    CREATE TABLE sessions (
      refreshHash TEXT PRIMARY KEY, jti TEXT NOT NULL, expiresAt TEXT NOT NULL,
      userId TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE revocations (jti TEXT PRIMARY KEY, expiresAt TEXT NOT NULL) STRICT;
  `)
  insert(sql, 'roles', { name: 'user', description: 'Uses the platform' })
  insert(sql, 'roles', { name: 'service', description: 'Another service of the platform' })
  insert(sql, 'roles', { name: 'admin', description: 'Runs the platform' })
  const [alice, admin] = await Promise.all([hashPassword('wonderland'), hashPassword('administrator')])
  const seeds = [
    { id: 'user-alice', email: 'alice@example.com', name: 'Alice Liddell', passwordHash: alice, roles: 'user' },
    { id: 'user-admin', email: 'admin@example.com', name: 'Ada Admin', passwordHash: admin, roles: 'user,admin' },
  ]
  for (const seed of seeds) insert(sql, 'users', { ...seed, tier: null, createdAt: '2026-01-15T10:30:00.000Z' })
  return {
    sql,
    users: reader(sql, 'users', userRow, 'createdAt, id'),
    roles: reader(sql, 'roles', role, 'name'),
    sessions: reader(sql, 'sessions', sessionRow, 'expiresAt'),
    revocations: reader(sql, 'revocations', revocationRow, 'expiresAt'),
  }
}
