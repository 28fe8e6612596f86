import type { Ending } from './side.ts'

/** The change of a request's outcome in a few words, equal for all requests with the same change; `routes` are the current ones. */
export function changeText(before: Ending, after: Ending, routes: { has(id: string): boolean }): string {
  if (after.route === '' && after.code !== null) return `now ${statusText(after)} (${whereTo(before, routes)})`
  if (after.code !== null && after.code !== before.code) return `now ${statusText(after)}${onRoute(before, after)}`
  if (before.code !== null && after.code === null) return `no longer ${statusText(before)}: ${arrival(after)}`
  if (before.service !== after.service) return `→ ${after.service ?? 'no service'}${onRoute(before, after)}`
  if (before.route !== after.route) return `→ route ${after.route} (from ${nameOf(before.route)})`
  return `${statusText(before)} → ${statusText(after)}${onRoute(before, after)}`
}

/** Such as "404 not-found", or whatever is known instead. */
export function statusText({ status, code, service }: Ending): string {
  if (status === null) return `whatever ${service ?? 'the route'} replies`
  return code === null ? String(status) : `${status} ${code}`
}

function whereTo(before: Ending, routes: { has(id: string): boolean }): string {
  if (before.route === '') return 'no route matches'
  return routes.has(before.route) ? `route ${before.route} no longer matches them` : `route ${before.route} removed`
}

function onRoute(before: Ending, after: Ending): string {
  return before.route === after.route
    ? ` (route ${after.route})`
    : ` (route ${nameOf(before.route)} → ${nameOf(after.route)})`
}

function arrival(after: Ending): string {
  const place = after.service === null ? `route ${nameOf(after.route)} answers` : `sent to ${after.service}`
  return after.service === null ? place : `${place} (route ${nameOf(after.route)})`
}

function nameOf(route: string): string {
  return route === '' ? 'none' : route
}
