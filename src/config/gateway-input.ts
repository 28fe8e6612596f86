import type { z } from 'zod'
import type { Policy } from '../policies/policy.ts'
import type { OwnPolicy, PlacedPolicy } from './own-policy-schema.ts'
import type { gatewaySchema } from './schema.ts'

/** An entry of `ownPolicies` in TypeScript: a policy, or a file with one, whose options `tsc` then does not know. */
export type OwnPolicyInput = Policy | PlacedPolicy | NonNullable<z.input<typeof gatewaySchema>['ownPolicies']>[number]

/** What may be written under `policies:` for the policies of the list; anything if some of them are files. */
export type OwnOptions<Own extends readonly OwnPolicyInput[]> = {
  [Each in PolicyOf<Own[number]> as NameOf<Each>]?: z.input<Each['options']> | false | undefined
} & OptionsOfFiles<Own>

/** The same for `policies:` of a route, which inherits the options for every route. */
export type OwnRouteOptions<Own extends readonly OwnPolicyInput[]> = {
  [Each in PolicyOf<Own[number]> as NameOf<Each>]?: Partial<z.input<Each['options']>> | false | undefined
} & OptionsOfFiles<Own>

/** The policy of an entry; never for a file. */
export type PolicyOf<Entry extends OwnPolicyInput> = Extract<
  Entry extends PlacedPolicy ? Entry['policy'] : Entry,
  Policy
>

/** The name of a policy, if its type has it. */
export type NameOf<Named extends Policy> = string extends Named['name'] ? never : Named['name']

/** Options of policies whose names are not known, such as those in files: any. */
export type OptionsOfFiles<Own extends readonly OwnPolicyInput[]> = [Own[number]] extends [Policy | PlacedPolicy]
  ? string extends PolicyOf<Own[number]>['name']
    ? Readonly<Record<string, unknown>>
    : unknown
  : Readonly<Record<string, unknown>>

/** Refuses members that entries of the list and policies do not have, such as `befor`. */
export type KnownMembers<Own extends readonly OwnPolicyInput[]> = {
  readonly [I in keyof Own]: Own[I] extends PlacedPolicy
    ? OnlyMembers<keyof PlacedPolicy, Own[I]> & { readonly policy: OnlyMembers<keyof Policy, Own[I]['policy']> }
    : Own[I] extends Policy
      ? OnlyMembers<keyof Policy, Own[I]>
      : Own[I] extends OwnPolicy
        ? OnlyMembers<keyof OwnPolicy, Own[I]>
        : Own[I]
}

/** `Given` without other members than those in `Known`. */
export type OnlyMembers<Known, Given> = Given & { readonly [Name in Exclude<keyof Given, Known>]: never }

/** A route as written. */
export type RouteInput<Own extends readonly OwnPolicyInput[] = readonly OwnPolicyInput[]> = Omit<
  NonNullable<z.input<typeof gatewaySchema>['routes']>[number],
  'policies'
> & {
  policies?:
    | (NonNullable<NonNullable<z.input<typeof gatewaySchema>['routes']>[number]['policies']> & OwnRouteOptions<Own>)
    | undefined
}

/** The configuration as written, with the custom policies `Own`. */
export type GatewayInput<Own extends readonly OwnPolicyInput[] = readonly OwnPolicyInput[]> = Omit<
  z.input<typeof gatewaySchema>,
  'ownPolicies' | 'policies' | 'routes'
> & {
  ownPolicies?: (Own & NoInfer<KnownMembers<Own>>) | undefined
  policies?: (NonNullable<z.input<typeof gatewaySchema>['policies']> & OwnOptions<Own>) | undefined
  routes?: RouteInput<Own>[] | undefined
}
