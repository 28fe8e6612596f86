import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { SOURCE } from './panels.ts'

/** Labels of the gateways that the dashboard's variable names; the job is the one of deploy/prometheus. */
export const GATEWAYS = 'job="sallyport",gateway=~"$gateway"'

/** A panel that can be numbered. */
interface PanelSource extends Builder<Panel> {
  id(id: number): this
}

/** A heading and the panels below it. */
export interface Row {
  readonly title: string
  readonly panels: readonly PanelSource[]
}

/** A choice at the top of a dashboard. */
export interface Choice {
  readonly name: string
  readonly label: string
  /** A query for label values. */
  readonly query: string
  /** Several values or all of them, or exactly one. */
  readonly several: boolean
}

interface DashboardOptions {
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Beside the data source and the gateways. */
  readonly choices: readonly Choice[]
  readonly rows: readonly Row[]
}

/** Choice of a service, or of several. */
export function serviceChoice(several: boolean): Choice {
  return { name: 'service', label: 'Service', query: 'label_values(sallyport_instance_healthy, service)', several }
}

/** One dashboard of the set: linked with the others, and with the alerts that fired marked on its graphs. */
export function dashboard({ uid, title, description, choices, rows }: DashboardOptions): Dashboard {
  const gateways = {
    name: 'gateway',
    label: 'Gateway',
    query: 'label_values(sallyport_build_info{job="sallyport"}, gateway)',
    several: true,
  }
  const builder = new DashboardBuilder(`Sallyport / ${title}`)
    .uid(`sallyport-${uid}`)
    .description(description)
    .tags(['sallyport'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .link({ build: links })
    .annotation(firing())
  for (const choice of [gateways, ...choices]) builder.withVariable(variable(choice))
  let id = 0
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id))
    for (const panel of row.panels) builder.withPanel(panel.id(++id))
  }
  return builder.build()
}

function variable({ name, label, query, several }: Choice): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(several)
    .includeAll(several)
  if (!several) return builder
  return builder.allValue('.*').current({ selected: true, text: ['All'], value: ['$__all'] })
}

/** Links to the other dashboards; the builder of the SDK would hide them in a menu. */
function links(): DashboardLink {
  return {
    title: 'Sallyport',
    type: DashboardLinkType.Dashboards,
    icon: 'external link',
    tooltip: '',
    tags: ['sallyport'],
    asDropdown: false,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  }
}

function firing(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(SOURCE)
    .enable(true)
    .iconColor('red')
    .expr('ALERTS{alertname=~"Sallyport.+",alertstate="firing"}')
    .titleFormat('{{alertname}}')
    .textFormat('{{severity}} {{service}} {{instance}}')
}
