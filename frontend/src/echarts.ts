// Only the parts of ECharts that the product uses.

import { BarChart, GraphChart, LineChart, LinesChart, MapChart } from "echarts/charts";
import { GeoComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([
  BarChart,
  GraphChart,
  LineChart,
  LinesChart,
  MapChart,
  GeoComponent,
  GridComponent,
  LegendComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
]);

export { echarts };
export type Chart = ReturnType<typeof echarts.init>;

/** The page's own colours and type, read from the style sheet so that they are written down once. */
export function look(element: Element): Record<"ink" | "quiet" | "line" | "paper" | "accent" | "font", string> {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--khien-${name}`).trim();
  return {
    ink: of("ink"),
    quiet: of("quiet"),
    line: of("line"),
    paper: of("paper"),
    accent: of("accent"),
    font: style.fontFamily,
  };
}

/** Drawn in the canvas: a tooltip of HTML would need inline styles, which the page forbids. */
export function tooltip(element: Element): object {
  const { ink, line, paper, font } = look(element);
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: paper,
    borderColor: line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: ink, fontFamily: font, fontSize: 14 },
  };
}

/** A chart in `host` that follows its width, is hidden from screen readers (its table speaks) and can be thrown away. */
export function draw(host: HTMLElement): { chart: Chart; stop: () => void } {
  const chart = echarts.init(host, undefined, { renderer: "canvas" });
  const watch = new ResizeObserver(() => chart.resize());
  watch.observe(host);
  return {
    chart,
    stop: () => {
      watch.disconnect();
      chart.dispose();
    },
  };
}

export const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
