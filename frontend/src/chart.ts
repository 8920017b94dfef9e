// <khien-chart data-table=ID data-kind="line|bar">: draws the figures of a table, which stays on the page.

import type { ECBasicOption } from "echarts/types/dist/shared";
import { calm, draw, look, tooltip } from "./echarts";
import { columnsOf } from "./table";

/** Told apart by lightness and by the shape of their points, not by hue alone. */
const SERIES = ["#0b4a4f", "#c2571a", "#5b7f2b", "#7a4b8c", "#8a6d00"];
const POINTS = ["circle", "diamond", "rect", "triangle", "pin"];

class KhienChart extends HTMLElement {
  private stop: () => void = () => {};

  connectedCallback(): void {
    const host = this.querySelector<HTMLElement>("[data-chart=host]")!;
    const table = document.getElementById(this.dataset.table!) as HTMLTableElement;
    const { categories, series } = columnsOf(table);
    const status = this.querySelector<HTMLElement>("[data-chart=status]")!;
    status.hidden = categories.length > 0;
    if (!categories.length) {
      status.textContent = this.dataset.empty ?? "";
      return;
    }
    const drawn = draw(host);
    this.stop = drawn.stop;
    drawn.chart.setOption(this.option(categories, series));
    this.dataset.state = "ready";
  }

  disconnectedCallback(): void {
    this.stop();
  }

  private option(categories: string[], series: { name: string; values: (number | null)[] }[]): ECBasicOption {
    const { ink, quiet, line, font } = look(this);
    const kind = this.dataset.kind === "bar" ? "bar" : "line";
    const language = document.documentElement.lang || "vi";
    const share = this.dataset.unit === "share";
    const form = new Intl.NumberFormat(language, share ? { style: "percent", maximumFractionDigits: 1 } : { maximumFractionDigits: 1 });
    const show = (value: unknown) => (typeof value === "number" ? form.format(value) : (this.dataset.nothing ?? ""));
    const text = { color: quiet, fontFamily: font, fontSize: 13 };
    return {
      animation: !calm.matches,
      color: SERIES,
      textStyle: { fontFamily: font, color: ink },
      tooltip: { ...tooltip(this), trigger: "axis", valueFormatter: show },
      legend: series.length > 1 ? { top: 0, left: 0, textStyle: { ...text, color: ink }, itemGap: 20 } : undefined,
      grid: { left: 8, right: 16, top: series.length > 1 ? 44 : 16, bottom: 8, containLabel: true },
      xAxis: { type: "category", data: categories, axisLabel: text, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
      yAxis: { type: "value", max: share ? 1 : undefined, axisLabel: { ...text, formatter: show }, splitLine: { lineStyle: { color: line } } },
      series: series.map(({ name, values }, at) => ({
        name,
        type: kind,
        data: values,
        symbol: POINTS[at % POINTS.length],
        symbolSize: 7,
        showSymbol: categories.length <= 40,
        lineStyle: { width: 2.5 },
        barMaxWidth: 40,
        connectNulls: false,
      })),
    };
  }
}

customElements.define("khien-chart", KhienChart);
