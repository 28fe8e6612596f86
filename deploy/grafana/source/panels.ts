import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries'

/** The data source that the dashboard's variable names. */
export const SOURCE = { type: 'prometheus', uid: '${datasource}' }

const COLORS = ['green', 'orange', 'red'] as const

/** A query in PromQL and how its series are named, by a pattern such as {{service}}. */
export interface Query {
  readonly expr: string
  readonly legend: string
  /** Shows the traces behind a histogram. */
  readonly exemplar?: boolean
}

interface PanelOptions {
  readonly title: string
  /** What it shows, and what it means when it moves. */
  readonly description: string
  /** One of @grafana/grafana-foundation-sdk/units. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Where green ends and orange begins, and where orange ends and red begins. */
  readonly thresholds?: readonly number[]
}

interface GraphOptions extends PanelOptions {
  /** Of 24 columns; 8 by default. */
  readonly width?: number
  /** Puts the series on top of one another, where their sum means something. */
  readonly stacked?: boolean
  readonly max?: number
}

/** Series over time. */
export function graph({ stacked = false, width = 8, max, ...options }: GraphOptions): TimeSeries {
  const panel = new TimeSeries()
    .title(options.title)
    .description(options.description)
    .datasource(SOURCE)
    .unit(options.unit)
    .min(0)
    .height(8)
    .span(width)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 5)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(options.queries.map((query, index) => range(query, index)))
  if (max !== undefined) panel.max(max)
  if (options.thresholds === undefined) return panel
  return panel
    .thresholds(steps(options.thresholds))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
}

/** One number now, with its course behind it. */
export function figure(options: PanelOptions): Stat {
  return new Stat()
    .title(options.title)
    .description(options.description)
    .datasource(SOURCE)
    .unit(options.unit)
    .height(4)
    .span(3)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .thresholds(steps(options.thresholds ?? []))
    .targets(options.queries.map((query, index) => range(query, index)))
}

interface StatesOptions {
  readonly title: string
  readonly description: string
  readonly query: Query
  /** What 0 and 1 are called. */
  readonly states: readonly [zero: string, one: string]
}

/** States over time, of series that are 0 when something is wrong and else 1. */
export function states({ title, description, query, states: [zero, one] }: StatesOptions): StateTimeline {
  const options = { 0: { text: zero, color: 'red', index: 0 }, 1: { text: one, color: 'green', index: 1 } }
  return new StateTimeline()
    .title(title)
    .description(description)
    .datasource(SOURCE)
    .height(8)
    .span(24)
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .mappings([{ type: MappingType.ValueToText, options }])
    .targets([range(query, 0)])
}

interface RowsOptions {
  readonly title: string
  readonly description: string
  /** One column each. */
  readonly columns: readonly { readonly name: string; readonly unit: string; readonly expr: string }[]
  readonly width?: number
}

/** A table of what is now: a row for each set of labels, and a column for each query. */
export function rows({ title, description, columns, width = 24 }: RowsOptions): Table {
  const names = columns.map(({ name }, index): [string, string] => [`Value #${letter(index)}`, name])
  const panel = new Table()
    .title(title)
    .description(description)
    .datasource(SOURCE)
    .height(9)
    .span(width)
    .targets(
      columns.map(({ expr }, index) =>
        new DataqueryBuilder().refId(letter(index)).expr(expr).instant().format(PromQueryFormat.Table),
      ),
    )
    .transformations([
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: { excludeByName: { Time: true, instance: true, job: true }, renameByName: Object.fromEntries(names) },
      },
    ])
  for (const { name, unit } of columns) panel.overrideByName(name, [{ id: 'unit', value: unit }])
  return panel
}

function range({ expr, legend, exemplar = false }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(letter(index)).expr(expr).legendFormat(legend).range().exemplar(exemplar)
}

function letter(index: number): string {
  return String.fromCodePoint(65 + index)
}

function steps(bounds: readonly number[]): ThresholdsConfigBuilder {
  const values = [null, ...bounds]
  const list = values.map((value, index) => ({ value, color: COLORS[index] ?? 'red' }))
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list)
}
