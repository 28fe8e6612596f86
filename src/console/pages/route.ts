import { Fragment, h, type ComponentChildren } from 'preact'
import type { Route } from '../answers.ts'
import { Options } from '../changes/options.ts'
import { ago, milliseconds, share, rateAlone, shareAlone } from '../format.ts'
import { useLive, useNow, usePolled, useRoutes } from '../hooks.ts'
import { destinationOf, links } from '../names.ts'
import { Copy } from '../parts/actions.ts'
import { Figure } from '../parts/figures.ts'
import { Empty, Facts, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Tag } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { effectivePolicies, type EffectivePolicy, fragmentOf } from '../policies.ts'
import { failurePoints, lastUsed, ofRoute, pointsOf, recentRates, slowPoints } from '../traffic.ts'

/** One route: its match, its traffic, and the policies in effect, with their origins. */
export function OneRoute({ id }: { id: string }): ComponentChildren {
  const live = useLive()
  const now = useNow()
  const routes = useRoutes(live.changes)
  const config = usePolled<Readonly<Record<string, unknown>>>(
    `/config?${new URLSearchParams({ route: id })}`,
    60_000,
    live.changes,
  )
  const pick = ofRoute(id)
  const rates = recentRates(live, pick)
  return h(
    Fragment,
    null,
    h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, h(Link, { href: '/console/routes' }, 'Routes')),
    h(Head, {
      title: id,
      about: 'The route’s match, traffic and policies.',
      children: h(Link, { href: links.requests({ route: id }), class: 'button' }, 'Its requests'),
    }),
    h(Loaded<{ readonly routes: readonly Route[] }>, {
      polled: routes,
      what: 'The routes',
      children: ({ routes: all }) => {
        const route = all.find((each) => each.id === id)
        if (route === undefined)
          return h(Empty, { title: `There is no route ${id}` }, h(Link, { href: '/console/routes' }, 'All routes'))
        const used = lastUsed(live, route)
        return h(
          Fragment,
          null,
          h(
            'div',
            { class: 'figures' },
            h(Figure, { name: 'Requests', value: rateAlone(rates.rate), points: pointsOf(live, pick) }),
            h(Figure, {
              name: 'Server errors, 5xx',
              value: shareAlone(rates.failed),
              ...(rates.failed >= 0.05 && { tone: 'critical' as const }),
              points: failurePoints(live, pick),
            }),
            h(Figure, { name: '95th percentile', value: milliseconds(rates.p95), points: slowPoints(live, pick) }),
            h(Figure, {
              name: 'Last used',
              value: used === null ? 'never' : ago(used, now),
              about: 'since the gateway started',
            }),
          ),
          h(Panel, { title: 'Match' }, h(Facts, { facts: factsOf(route) })),
          h(Options, { kind: 'route', name: id }),
          h(Loaded<Readonly<Record<string, unknown>>>, {
            polled: config,
            what: 'The policies',
            children: (shown) =>
              h(
                Fragment,
                null,
                h(
                  Panel,
                  {
                    title: 'Policies in effect',
                    aside: 'Outermost first; secrets masked',
                  },
                  h(Policies, { policies: effectivePolicies(shown, id, route.policies) }),
                ),
                h(
                  Panel,
                  { title: 'As YAML', aside: h(Copy, { text: fragmentOf(shown, id) }) },
                  h('pre', { class: 'code', tabIndex: 0 }, fragmentOf(shown, id)),
                ),
              ),
          }),
        )
      },
    }),
  )
}

function list(values: readonly string[], none: string): ComponentChildren {
  if (values.length === 0) return none
  return h(
    'span',
    { class: 'tags' },
    values.map((value) => h(Tag, { key: value }, value)),
  )
}

function factsOf(route: Route): (readonly [string, ComponentChildren | string])[] {
  const { match } = route
  const conditions = (values: Readonly<Record<string, unknown>>): ComponentChildren | string =>
    list(
      Object.entries(values).map(
        ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ),
      'none',
    )
  const services =
    route.service === null && route.split === null
      ? destinationOf(route)
      : h(
          'span',
          { class: 'tags' },
          Object.entries(route.split ?? { [route.service ?? '']: 0 }).map(([name, weight]) =>
            h(Link, { key: name, href: links.service(name) }, weight > 0 ? `${name} (${weight})` : name),
          ),
        )
  return [
    ['Path', list(match.path, 'any path')],
    ...(match.pathRegex === null ? [] : [['Expression', match.pathRegex] as const]),
    ['Method', list(match.method, 'any method')],
    ['Host', list(match.host, 'any host')],
    ['Listener', list(match.listener, 'any listener')],
    ['Headers', conditions(match.headers)],
    ['Query', conditions(match.query)],
    ['Destination', services],
    ...(route.mirror.length === 0
      ? []
      : [
          [
            'Mirrored to',
            route.mirror.map(({ service, share: part }) => `${service} (${share(part)})`).join(', '),
          ] as const,
        ]),
  ]
}

const ORIGINS: Readonly<Record<EffectivePolicy['origin'], string>> = {
  global: 'global',
  route: 'this route',
  both: 'global, changed by this route',
  off: 'turned off by this route',
}

function Policies({ policies }: { policies: readonly EffectivePolicy[] }): ComponentChildren {
  if (policies.length === 0)
    return h(Empty, { title: 'No policies' }, 'Requests of this route are forwarded unchanged.')
  return h(
    'ol',
    { class: 'policies' },
    policies.map(({ name, origin, options }) =>
      h(
        'li',
        { key: name, class: origin === 'off' ? 'policy off' : 'policy' },
        h(
          'div',
          { class: 'policy-head' },
          h('strong', null, name),
          h(Badge, { tone: origin === 'global' ? 'plain' : origin === 'off' ? 'warning' : 'notice' }, ORIGINS[origin]),
        ),
        options.length > 0 &&
          h(
            'dl',
            { class: 'options' },
            options.map(({ name: option, value, own }) =>
              h(
                'div',
                { key: option, class: own ? 'own' : '' },
                h('dt', null, option),
                h('dd', null, value, own && h('span', { class: 'tag' }, 'this route')),
              ),
            ),
          ),
      ),
    ),
  )
}
