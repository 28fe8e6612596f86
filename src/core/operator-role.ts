/** What operators may do, from the least to the most: each may do what those before it may. */
export const operatorRoles = ['viewer', 'operator', 'admin'] as const

export type OperatorRole = (typeof operatorRoles)[number]

/** Whether one of that role may do what another one is needed for. */
export function hasRole(role: OperatorRole, needed: OperatorRole): boolean {
  return operatorRoles.indexOf(role) >= operatorRoles.indexOf(needed)
}
