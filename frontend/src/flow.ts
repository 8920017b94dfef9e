// <khien-flow data-outlines=URL data-table=ID>: who went from where to where, as arrows on the map beside the table.
// Rows `<tr data-way data-value data-from="lon lat" data-to="lon lat">`; the names stand in the row's first two cells.

import type { Chart } from "./echarts";
import { calm, draw, echarts, look, tooltip } from "./echarts";
import { type Feature, fetched, insets, isNarrow, type Outlines, textual } from "./outlines";

type Point = [number, number];
interface Way {
  row: HTMLTableRowElement;
  people: number;
  coords: [Point, Point];
  told: string;
}

const LAND = "#eceae4";
const ARROW = "#b3470f"; // one hue on quiet land: width says how many, the arrow where to

function point(text: string | undefined): Point | null {
  const parts = (text ?? "").split(" ").map(Number);
  return parts.length === 2 && parts.every((part) => Number.isFinite(part)) && text ? [parts[0]!, parts[1]!] : null;
}

/** West, south, east, north of what is drawn, with some room. */
function frame(features: Feature[]): [number, number, number, number] {
  const box: [number, number, number, number] = [180, 90, -180, -90];
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number" && typeof part[1] === "number") {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
      return;
    }
    for (const one of part) walk(one);
  };
  for (const { geometry } of features) walk((geometry as { coordinates?: unknown }).coordinates);
  const room = Math.max(box[2] - box[0], box[3] - box[1]) * 0.02;
  return [box[0] - room, box[1] - room, box[2] + room, box[3] + room];
}

let maps = 0;

class KhienFlow extends HTMLElement {
  private chart: Chart | null = null;
  private stop: () => void = () => {};
  private readonly base = `khien-flow-${++maps}`;
  private readonly abort = new AbortController();

  async connectedCallback(): Promise<void> {
    this.say("loading");
    try {
      const outlines = await fetched(this.dataset.outlines!, this.abort.signal);
      if (!this.isConnected) return;
      if (!outlines.features.length) return this.say("empty");
      this.say("");
      const host = this.querySelector<HTMLElement>("[data-map=host]")!;
      ({ chart: this.chart, stop: this.stop } = draw(host));
      this.paint(outlines, host);
    } catch {
      this.say("failed");
    }
  }

  disconnectedCallback(): void {
    this.abort.abort();
    this.stop();
  }

  private say(state: "loading" | "empty" | "failed" | ""): void {
    const status = this.querySelector<HTMLElement>("[data-map=status]")!;
    status.textContent = state ? (this.getAttribute(`data-${state}`) ?? "") : "";
    status.hidden = !state;
    this.dataset.state = state || "ready";
  }

  /** The table's ways that lie on the map, the weakest first so that the strong ones are seen. */
  private ways(main: Feature[]): Way[] {
    const [west, south, east, north] = frame(main);
    const inside = ([lon, lat]: Point) => lon >= west && lon <= east && lat >= south && lat <= north;
    const table = document.getElementById(this.dataset.table!) as HTMLTableElement;
    const found: Way[] = [];
    let outside = false;
    for (const row of table.querySelectorAll<HTMLTableRowElement>("tr[data-way]")) {
      const [from, to] = [point(row.dataset.from), point(row.dataset.to)];
      const people = Number(row.dataset.value);
      if (!from || !to || !inside(from) || !inside(to)) {
        outside = true;
        continue;
      }
      const [here, there] = [0, 1].map((at) => row.cells[at]?.textContent?.trim() ?? "");
      found.push({ row, people, coords: [from, to], told: `${here} → ${there}\n${people} ${this.dataset.people ?? ""}` });
    }
    const note = this.querySelector<HTMLElement>("[data-map=note]")!;
    note.hidden = !outside;
    note.textContent = outside ? (this.dataset.outside ?? "") : "";
    return found.reverse();
  }

  private paint(outlines: Outlines, host: HTMLElement): void {
    const main = outlines.features.filter((feature) => !feature.properties.inset);
    const far = outlines.features.filter((feature) => feature.properties.inset);
    this.dataset.insets = String(far.length);
    const { ink, quiet, line, font } = look(this);
    const ways = this.ways(main);
    const most = Math.max(...ways.map((way) => way.people), 1);
    const area = { areaColor: LAND, borderColor: "#b9b4a8", borderWidth: main.length > 800 ? 0.2 : 0.7 };
    const shape = {
      nameProperty: "id", silent: true, label: { show: false }, itemStyle: area, preserveAspect: "contain",
      aspectScale: Math.cos((16 * Math.PI) / 180),
    };
    const register = (name: string, features: Feature[]) =>
      echarts.registerMap(name, { type: "FeatureCollection", features: features.map(textual) } as never);
    register(this.base, main);
    const place = insets(far.length, host.clientWidth, host.clientHeight);
    const titles: object[] = [];
    const islands = far.map((feature, at) => {
      const name = `${this.base}-${at}`;
      register(name, [feature]);
      const { shape: where, label } = place.each(at);
      titles.push({
        text: feature.properties.name, padding: 0, ...label,
        textStyle: { color: quiet, fontFamily: font, fontSize: isNarrow(host.clientWidth) ? 10.5 : 12, fontWeight: "normal" },
      });
      return { type: "map", map: name, ...shape, ...where };
    });
    this.chart!.setOption({
      animation: !calm.matches,
      title: titles,
      tooltip: { ...tooltip(this), formatter: ({ data }: { data?: { told?: string } }) => data?.told ?? "" },
      geo: { map: this.base, ...shape, ...place.main },
      series: [
        {
          type: "lines",
          coordinateSystem: "geo",
          symbol: ["circle", "arrow"],
          symbolSize: 8,
          lineStyle: { color: ARROW, curveness: 0.25, opacity: 0.65 },
          emphasis: { lineStyle: { color: ink, opacity: 1 } },
          data: ways.map(({ people, coords, told }) => ({
            coords,
            told,
            lineStyle: { width: 1 + 6 * Math.sqrt(people / most) },
          })),
        },
        ...islands,
      ],
      textStyle: { fontFamily: font, color: line },
    });
    this.listen(ways);
  }

  private listen(ways: Way[]): void {
    const chart = this.chart!;
    const { signal } = this.abort;
    const each = (type: "highlight" | "downplay", dataIndex: number) => chart.dispatchAction({ type, seriesIndex: 0, dataIndex });
    const mark = (at: number | undefined, on: boolean) => ways[at ?? -1]?.row.classList.toggle("khien-marked", on);
    chart.on("mouseover", ({ dataIndex }) => mark(dataIndex, true));
    chart.on("mouseout", ({ dataIndex }) => mark(dataIndex, false));
    ways.forEach(({ row }, at) => {
      row.addEventListener("mouseenter", () => each("highlight", at), { signal });
      row.addEventListener("mouseleave", () => each("downplay", at), { signal });
    });
  }
}

customElements.define("khien-flow", KhienFlow);
