import { DatabaseSync } from 'node:sqlite'
import { email, identifier, timestamp } from '../support/fields.ts'
import { nullable, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, reader } from '../support/table.ts'
import type { Reader } from '../support/table.ts'
import { hashPassword } from './passwords.ts'

const userRow = object('UserRow', {
  id: identifier('user-alice'),
  email,
  name: text('Alice Liddell'),
  passwordHash: text('salt:key'),
  /** Comma-separated. */
  roles: text('user', { maxLength: 2000 }),
  tier: nullable(text('gold')),
  createdAt: timestamp,
})

const roleRow = object('RoleRow', { name: text('user'), description: text('Uses the platform') })

const sessionRow = object('SessionRow', {
  refreshHash: text('a SHA-256'),
  jti: text('of the access token that came with it'),
  userId: identifier('user-alice'),
  expiresAt: timestamp,
})

const revocationRow = object('RevocationRow', { jti: text('of an access token'), expiresAt: timestamp })

/** A user as it is stored. */
export type UserRow = Value<typeof userRow>

/** The tables of the user service; instances that share one serve the same users. */
export interface UserDatabase {
  readonly sql: DatabaseSync
  readonly users: Reader<UserRow>
  readonly roles: Reader<Value<typeof roleRow>>
  readonly sessions: Reader<Value<typeof sessionRow>>
  readonly revocations: Reader<Value<typeof revocationRow>>
}

/** A database in memory with alice (user) and admin (admin) in it. */
export async function openUserDatabase(): Promise<UserDatabase> {
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
  const createdAt = '2026-01-15T10:30:00.000Z'
  const seeds = [
    { id: 'user-alice', email: 'alice@example.com', name: 'Alice Liddell', passwordHash: alice, roles: 'user' },
    { id: 'user-admin', email: 'admin@example.com', name: 'Ada Admin', passwordHash: admin, roles: 'user,admin' },
  ]
  for (const seed of seeds) insert(sql, 'users', { ...seed, tier: null, createdAt })
  return {
    sql,
    users: reader(sql, 'users', userRow, 'createdAt, id'),
    roles: reader(sql, 'roles', roleRow, 'name'),
    sessions: reader(sql, 'sessions', sessionRow, 'expiresAt'),
    revocations: reader(sql, 'revocations', revocationRow, 'expiresAt'),
  }
}
