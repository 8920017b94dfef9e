// <khien-map data-outlines=URL data-table=ID | data-values=URL>: figures by area, beside the table that holds them.
//
// Outlines are GeoJSON features with properties {id, name, inset?}. A feature with `inset: true` (an island far off the
// main map) is drawn in a labelled frame of its own, so that no part of the country is missing or too small to see.

import type { Chart } from "./echarts";
import { calm, draw, echarts, look, tooltip } from "./echarts";
import { type Feature, fetched, insets, isNarrow, type Outlines, textual } from "./outlines";
import { type Class, classes, defaultBreaks, GRADES, NO_DATA } from "./scale";
import { type Row, rowsOf, rowsOfJson } from "./table";

let maps = 0;

class KhienMap extends HTMLElement {
  private rows = new Map<string, Row>();
  private steps: Class[] = [];
  private chart: Chart | null = null;
  private stop: () => void = () => {};
  private readonly base = `khien-${++maps}`;
  private table: HTMLTableElement | null = null;
  private readonly abort = new AbortController();

  async connectedCallback(): Promise<void> {
    const host = this.querySelector<HTMLElement>("[data-map=host]")!;
    this.say("loading");
    try {
      const [outlines, rows] = await Promise.all([fetched(this.dataset.outlines!, this.abort.signal), this.values()]);
      this.rows = new Map(rows.map((row) => [row.id, row]));
      if (!this.isConnected) return;
      if (!outlines.features.length) return this.say("empty");
      this.dataset.insets = String(outlines.features.filter((feature) => feature.properties.inset).length);
      this.say("");
      ({ chart: this.chart, stop: this.stop } = draw(host));
      this.steps = this.scale();
      this.legend();
      this.paint(outlines);
      this.listen();
      // Turned to the side, a phone has room for the islands elsewhere.
      this.follow(host, () => this.paint(outlines));
    } catch {
      this.say("failed");
    }
  }

  disconnectedCallback(): void {
    this.abort.abort();
    this.stop();
  }

  private follow(host: HTMLElement, repaint: () => void): void {
    let narrow = isNarrow(host.clientWidth);
    const watch = new ResizeObserver(() => {
      if (isNarrow(host.clientWidth) === narrow) return;
      narrow = !narrow;
      repaint();
    });
    watch.observe(host);
    this.abort.signal.addEventListener("abort", () => watch.disconnect());
  }

  private say(state: "loading" | "empty" | "failed" | ""): void {
    const status = this.querySelector<HTMLElement>("[data-map=status]")!;
    status.textContent = state ? (this.getAttribute(`data-${state}`) ?? "") : "";
    status.hidden = !state;
    this.dataset.state = state || "ready";
  }

  private async values(): Promise<Row[]> {
    if (this.dataset.table) {
      this.table = document.getElementById(this.dataset.table) as HTMLTableElement;
      return rowsOf(this.table);
    }
    const answer = await fetch(this.dataset.values!, { signal: this.abort.signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    return rowsOfJson(await answer.json());
  }

  private get isShare(): boolean {
    return this.dataset.unit === "share";
  }

  private scale(): Class[] {
    const values = [...this.rows.values()].flatMap((row) => (row.value === null ? [] : [row.value]));
    const given = this.dataset.breaks?.split(",").map(Number);
    const high = this.isShare ? 1 : Number(this.dataset.high ?? Math.max(...values, 0));
    const low = this.isShare ? 0 : Number(this.dataset.low ?? Math.min(...values, 0));
    const colours = this.dataset.palette === "grades" ? GRADES : undefined;
    return classes(given ?? defaultBreaks(values, this.isShare), low, high, colours);
  }

  private format(value: number): string {
    const language = document.documentElement.lang || "vi";
    return this.isShare
      ? new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(value)
      : new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
  }

  /** The legend is a list on the page, not part of the picture: it can be read, enlarged and printed. */
  private legend(): void {
    const list = this.querySelector<HTMLElement>("[data-map=legend]")!;
    const entry = (colour: string, text: string) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "khien-map__swatch";
      swatch.style.backgroundColor = colour;
      item.append(swatch, text);
      return item;
    };
    const names = this.dataset.labels?.split("|"); // classes that have a name of their own, as grades
    list.replaceChildren(
      ...this.steps.map((step, at) => entry(step.colour, names?.[at] ?? `${this.format(step.min)} – ${this.format(step.max)}`)),
      entry(NO_DATA, this.dataset.nothing ?? ""),
    );
  }

  private colour(id: string): string {
    const value = this.rows.get(id)?.value ?? null;
    if (value === null) return NO_DATA;
    return (this.steps.findLast((step) => value >= step.min) ?? this.steps[0])?.colour ?? NO_DATA;
  }

  private series(map: string, features: Feature[], place: object): object {
    const { ink, line, paper } = look(this);
    return {
      type: "map",
      map,
      nameProperty: "id",
      ...place,
      // A degree of longitude is shorter than one of latitude; at 16° north, the middle of the country, by this much.
      aspectScale: Math.cos((16 * Math.PI) / 180),
      preserveAspect: "contain",
      selectedMode: false,
      label: { show: false },
      itemStyle: { borderColor: paper, borderWidth: features.length > 800 ? 0.15 : 0.6, areaColor: NO_DATA },
      emphasis: { label: { show: false }, itemStyle: { areaColor: undefined, borderColor: ink, borderWidth: 2, shadowColor: line } },
      data: features.map(({ properties: { id } }) => {
        const colour = this.colour(String(id));
        return { name: String(id), itemStyle: { areaColor: colour }, emphasis: { itemStyle: { areaColor: colour } } };
      }),
    };
  }

  private paint(outlines: Outlines): void {
    const far = outlines.features.filter((feature) => feature.properties.inset);
    const main = outlines.features.filter((feature) => !feature.properties.inset);

    const names = new Map(outlines.features.map(({ properties }) => [String(properties.id), properties.name]));
    const series: object[] = [];
    const titles: object[] = [];
    const register = (name: string, features: Feature[]) =>
      echarts.registerMap(name, { type: "FeatureCollection", features: features.map(textual) } as never);
    const { quiet, font } = look(this);
    register(this.base, main);
    const host = this.querySelector<HTMLElement>("[data-map=host]")!;
    const place = insets(far.length, host.clientWidth, host.clientHeight);
    series.push(this.series(this.base, main, place.main));
    far.forEach((feature, at) => {
      const name = `${this.base}-${at}`;
      register(name, [feature]);
      const { shape, label } = place.each(at);
      series.push(this.series(name, [feature], shape));
      titles.push({
        text: feature.properties.name,
        padding: 0,
        ...label,
        textStyle: { color: quiet, fontFamily: font, fontSize: isNarrow(host.clientWidth) ? 10.5 : 12, fontWeight: "normal" },
      });
    });
    this.chart!.setOption({
      animation: !calm.matches,
      title: titles,
      tooltip: {
        ...tooltip(this),
        formatter: ({ name }: { name: string }) => {
          const row = this.rows.get(name);
          return `${row?.name || names.get(name) || ""}\n${row?.value == null ? (this.dataset.nothing ?? "") : row.shown}`;
        },
      },
      series,
    }, { notMerge: true });
  }

  private listen(): void {
    const chart = this.chart!;
    const { signal } = this.abort;
    const each = (type: "highlight" | "downplay", id: string) => chart.dispatchAction({ type, seriesIndex: this.all(), name: id });
    chart.on("mouseover", ({ name }) => this.mark(name, true));
    chart.on("mouseout", ({ name }) => this.mark(name, false));
    chart.on("click", ({ name }) => this.go(name));
    for (const row of this.rows.values()) {
      for (const on of ["mouseenter", "focusin"]) row.element?.addEventListener(on, () => each("highlight", row.id), { signal });
      for (const off of ["mouseleave", "focusout"]) row.element?.addEventListener(off, () => each("downplay", row.id), { signal });
    }
  }

  private all(): number[] {
    return Array.from({ length: 1 + Number(this.dataset.insets) }, (_, at) => at);
  }

  private mark(id: string, on: boolean): void {
    this.rows.get(id)?.element?.classList.toggle("khien-marked", on);
  }

  /** A press on an area leads to its row, where the link is: the same way for hand, keyboard and screen reader. */
  private go(id: string): void {
    const row = this.rows.get(id);
    row?.element?.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
    row?.link?.focus({ preventScroll: true });
  }
}

customElements.define("khien-map", KhienMap);
