// <khien-graph data-table=ID>: chains of transmission from a table, cases by day from left to right, links by certainty.
// Rows `<tr data-case data-day data-infector data-certainty data-generation>`; the table stays on the page.

import { calm, draw, look, tooltip } from "./echarts";

interface Case {
  id: string;
  day: number;
  infector: string;
  certainty: number;
  generation: number;
  name: string;
  shown: string;
}

function casesOf(table: HTMLTableElement): Case[] {
  return [...table.querySelectorAll<HTMLTableRowElement>("tr[data-case]")].map((row) => ({
    id: row.dataset.case!,
    day: Date.parse(row.dataset.day ?? "") / 86_400_000,
    infector: row.dataset.infector ?? "",
    certainty: Number((row.dataset.certainty ?? "0").replace(",", ".")),
    generation: Number(row.dataset.generation ?? "0"),
    name: row.cells[0]?.textContent?.trim() ?? "",
    shown: row.cells[1]?.textContent?.trim() ?? "",
  }));
}

/** A row of its own for each case, children right below the one who infected them. */
function order(cases: Case[]): Map<string, number> {
  const children = new Map<string, Case[]>();
  for (const one of cases) children.set(one.infector, [...(children.get(one.infector) ?? []), one]);
  const rows = new Map<string, number>();
  const known = new Set(cases.map((one) => one.id));
  const stack = cases.filter((one) => !known.has(one.infector)).reverse();
  while (stack.length) {
    const one = stack.pop()!;
    rows.set(one.id, rows.size);
    stack.push(...[...(children.get(one.id) ?? [])].reverse());
  }
  return rows;
}

class KhienGraph extends HTMLElement {
  private stop: () => void = () => {};

  connectedCallback(): void {
    const host = this.querySelector<HTMLElement>("[data-graph=host]")!;
    const cases = casesOf(document.getElementById(this.dataset.table!) as HTMLTableElement);
    if (!cases.length) return;
    const { ink, quiet, accent, paper, font } = look(this);
    const first = Math.min(...cases.map((one) => one.day));
    const rows = order(cases);
    const drawn = draw(host);
    this.stop = drawn.stop;
    drawn.chart.setOption({
      animation: !calm.matches,
      textStyle: { fontFamily: font, color: ink },
      tooltip: { ...tooltip(this), formatter: (item: { data: { told?: string } }) => item.data.told ?? "" },
      series: [
        {
          type: "graph",
          layout: "none",
          roam: true,
          edgeSymbol: ["none", "arrow"],
          edgeSymbolSize: 8,
          label: { show: cases.length <= 60, position: "right", color: ink, fontSize: 12 },
          itemStyle: { color: accent || quiet, borderColor: paper, borderWidth: 1 },
          data: cases.map((one) => ({
            id: one.id,
            name: one.name,
            x: (one.day - first) * 40,
            y: (rows.get(one.id) ?? 0) * 22,
            symbolSize: 10 + Math.min(cases.filter((other) => other.infector === one.id).length, 12) * 2,
            told: `${one.name} · ${one.shown}`,
          })),
          links: cases
            .filter((one) => rows.has(one.infector))
            .map((one) => ({
              source: one.infector,
              target: one.id,
              told: `${one.infector} → ${one.id}: ${Math.round(one.certainty * 100)} %`,
              lineStyle: { color: ink, width: 0.5 + 2 * one.certainty, opacity: 0.3 + 0.6 * one.certainty, type: one.certainty >= 0.5 ? "solid" : "dashed" },
            })),
        },
      ],
    });
    this.dataset.state = "ready";
  }

  disconnectedCallback(): void {
    this.stop();
  }
}

customElements.define("khien-graph", KhienGraph);
