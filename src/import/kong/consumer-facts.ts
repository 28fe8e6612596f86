import { flagOf, numberOf, textOf } from '../read.ts'
import type { ConsumerFacts } from './consumers.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import { fieldOf } from '../../core/value.ts'
import { isGuard } from './guards.ts'

/** The facts about each consumer apart from its credentials, including plugins that end every request. */
export function consumerFacts(context: Context) {
  const { entities } = context
  const roles = new Map<Entity, string[]>()
  const tiers = new Map<Entity, string>()
  const blocked = new Map<Entity, string>()
  const refused = new Set<string>()

  for (const acl of entities.ofKind('acls')) {
    const consumer = entities.of(acl, 'consumer')
    const group = textOf(acl.fields['group'])
    if (consumer && group !== undefined && group !== '') roles.set(consumer, [...(roles.get(consumer) ?? []), group])
    else acl.entry.tell('left out', 'Its consumer is not in the file, or it has no name.')
  }
  for (const member of entities.ofKind('consumer_group_consumers')) {
    const { consumer, group } = membershipOf(member, context)
    if (consumer === undefined || group === undefined) {
      member.entry.tell('left out', 'Its consumer or its group is not in the file.')
      continue
    }
    const tier = tierName(group)
    if (tiers.has(consumer) && tiers.get(consumer) !== tier)
      member.entry.tell(
        'left out',
        'A consumer has only one tier here, and this one already has the tier of another group.',
      )
    else tiers.set(consumer, tier)
  }
  for (const plugin of entities.ofKind('plugins')) {
    const consumer = entities.of(plugin, 'consumer')
    const name = textOf(plugin.fields['name']) ?? ''
    if (!consumer || flagOf(plugin.fields['enabled']) === false) continue
    if (entities.of(plugin, 'route') !== null || entities.of(plugin, 'service') !== null || !isGuard(name)) continue
    const status = numberOf(fieldOf(plugin.fields['config'], 'status_code')) ?? 503
    if (name === 'request-termination' && status >= 400)
      for (const each of ['id', 'username']) {
        const known = textOf(consumer.fields[each])
        if (known !== undefined) refused.add(known)
      }
    blocked.set(consumer, `its plugin ${name} cannot be imported for a single consumer.`)
  }
  const factsOf = (consumer: Entity): ConsumerFacts => ({
    roles: [...new Set(roles.get(consumer))],
    tier: tiers.get(consumer) ?? null,
    blocked: blocked.get(consumer) ?? null,
  })
  return { factsOf, refused }
}

/** The tier that a consumer group becomes. */
export function tierName(group: Entity): string {
  const name = group.entry.name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64)
  return name === '' ? 'group' : name
}

function membershipOf(member: Entity, { entities }: Context) {
  const { parent, fields, entry } = member
  const name = textOf(fields['name']) ?? textOf(fields['username']) ?? textOf(fields['id']) ?? entry.name
  if (parent?.kind === 'consumers') return { consumer: parent, group: entities.find('consumer_groups', name) }
  if (parent?.kind === 'consumer_groups') return { consumer: entities.find('consumers', name), group: parent }
  return {
    consumer: entities.of(member, 'consumer') ?? undefined,
    group: entities.of(member, 'consumer_group') ?? undefined,
  }
}
