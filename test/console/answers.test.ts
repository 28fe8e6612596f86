/** The types of the console for answers of the admin API, compared with their schemas. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { certificate } from '../../src/admin/certificates.ts'
import { changed } from '../../src/admin/changes.ts'
import { status as configStatus, written } from '../../src/admin/configuration.ts'
import { edit } from '../../src/admin/edits/edits.ts'
import { explanation } from '../../src/admin/explain.ts'
import { document } from '../../src/admin/index-page.ts'
import { keyList, madeKey, revokedKeys, rotatedKey } from '../../src/admin/keys/schemas.ts'
import { loggedOut, loginState } from '../../src/admin/login/login.ts'
import { begun } from '../../src/admin/login/oidc/endpoints.ts'
import { plan } from '../../src/admin/plan.ts'
import { answer as replicas } from '../../src/admin/replicas/replicas.ts'
import { problemSchema } from '../../src/admin/refusal.ts'
import { details, recentRequest } from '../../src/admin/requests.ts'
import { route } from '../../src/admin/routes.ts'
import { service, transition } from '../../src/admin/services.ts'
import type { Window } from '../../src/admin/live/windows.ts'
import { status } from '../../src/admin/status.ts'
import type * as shown from '../../src/console/answers.ts'
import type * as events from '../../src/console/events.ts'
import type * as clients from '../../src/console/pages/clients/answers.ts'
import type { Explanation } from '../../src/console/pages/explain/answers.ts'
import { limit, limited } from '../../src/policies/rate-limit/operators.ts'

/** Compiles only if the console accepts everything that the schema allows. */
function held<Shown>(): <Schema extends z.ZodType<Shown>>(schema: Schema) => Schema {
  return (schema) => schema
}

test('the types that the console expects match the schemas of the responses', () => {
  const schemas = [
    held<shown.Session>()(loginState),
    held<shown.LoggedOut>()(loggedOut),
    held<shown.LoginBegun>()(begun),
    held<shown.Listed>()(document),
    held<shown.Status>()(status),
    held<shown.Replicas>()(replicas),
    held<shown.Service>()(service),
    held<shown.Transition>()(transition),
    held<shown.Route>()(route),
    held<shown.Request>()(recentRequest),
    held<shown.RequestDetails>()(details),
    held<shown.Problem>()(problemSchema),
    held<shown.ConfigStatus>()(configStatus),
    held<shown.Changed>()(changed),
    held<shown.Written>()(written),
    held<shown.Edited>()(edit),
    held<shown.Plan>()(plan),
    held<shown.Certificate>()(certificate),
    held<clients.Limit>()(limit),
    held<clients.LimitedClient>()(limited),
    held<Explanation>()(explanation),
    held<clients.ApiKeys>()(keyList),
    held<clients.MadeKey>()(madeKey),
    held<clients.RotatedKey>()(rotatedKey),
    held<clients.RevokedKeys>()(revokedKeys),
  ]
  const window: (counted: Window) => events.Window & events.Versions = (counted) => counted
  assert.equal(typeof window, 'function')
  for (const schema of schemas) assert.ok(schema instanceof z.ZodObject)
})
