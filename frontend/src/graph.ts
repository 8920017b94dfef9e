// <khien-graph data-table=ID>: chains of transmission from a table: days from left to right, a row a case, links by certainty.
// Rows `<tr data-case data-day data-infector data-certainty data-generation>`; the table stays on the page. Cases that hang
// together with no other are in the table alone. A click on a case opens it.

import { calm, draw, look, tooltip } from "./echarts";

interface Case {
  id: string;
  day: string;
  infector: string;
  certainty: number;
  generation: number;
  infected: number;
  decided: boolean;
  shown: string;
  href: string;
}

const ROW = 18;

function casesOf(table: HTMLTableElement): Case[] {
  const rows = [...table.querySelectorAll<HTMLTableRowElement>("tr[data-case]")];
  const infected = new Map<string, number>();
  for (const row of rows) infected.set(row.dataset.infector ?? "", (infected.get(row.dataset.infector ?? "") ?? 0) + 1);
  return rows.map((row) => ({
    id: row.dataset.case!,
    day: row.dataset.day ?? "",
    infector: row.dataset.infector ?? "",
    certainty: Number((row.dataset.certainty ?? "0").replace(",", ".")),
    generation: Number(row.dataset.generation ?? "0"),
    infected: infected.get(row.dataset.case!) ?? 0,
    decided: "decided" in row.dataset,
    shown: row.cells[1]?.textContent?.trim() ?? "",
    href: row.querySelector("a")?.href ?? "",
  }));
}

/** A row of its own for each case, children right below the one who infected them; the largest chains first. */
function order(cases: Case[]): Map<string, number> {
  const children = new Map<string, Case[]>();
  for (const one of cases) children.set(one.infector, [...(children.get(one.infector) ?? []), one]);
  const size = (one: Case): number => 1 + (children.get(one.id) ?? []).reduce((sum, child) => sum + size(child), 0);
  const known = new Set(cases.map((one) => one.id));
  const roots = cases.filter((one) => !known.has(one.infector)).sort((a, b) => size(b) - size(a));
  const rows = new Map<string, number>();
  const stack = roots.reverse();
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
    const all = casesOf(document.getElementById(this.dataset.table!) as HTMLTableElement);
    const known = new Set(all.map((one) => one.id));
    const cases = all.filter((one) => one.infected || known.has(one.infector));
    if (!cases.length) return;
    const { ink, quiet, accent, line, paper, font } = look(this);
    const rows = order(cases);
    host.style.height = `${Math.min(Math.max(rows.size * ROW, 200), 2400) + 60}px`;
    const drawn = draw(host);
    this.stop = drawn.stop;
    const told = this.dataset.told ?? "";
    drawn.chart.setOption({
      animation: !calm.matches,
      textStyle: { fontFamily: font, color: ink },
      tooltip: { ...tooltip(this), formatter: (item: { data: { told?: string } }) => item.data.told ?? "" },
      grid: { left: 12, right: 60, top: 40, bottom: 12 },
      xAxis: {
        type: "time",
        position: "top",
        minInterval: 86_400_000,
        axisLabel: { color: quiet, fontFamily: font, formatter: "{dd}/{MM}", hideOverlap: true },
        axisLine: { lineStyle: { color: line } },
        splitLine: { show: true, lineStyle: { color: line } },
      },
      yAxis: { type: "value", inverse: true, min: -1, max: rows.size, show: false },
      series: [
        {
          type: "graph",
          coordinateSystem: "cartesian2d",
          edgeSymbol: ["none", "arrow"],
          edgeSymbolSize: 7,
          label: { show: rows.size <= 150, position: "right", color: ink, fontSize: 12, formatter: "{b}" },
          data: cases.map((one) => ({
            id: one.id,
            name: one.id,
            value: [`${one.day}T00:00:00`, rows.get(one.id)],
            symbolSize: 9 + Math.min(one.infected, 12) * 2,
            itemStyle: { color: one.generation === 0 ? paper : accent || quiet, borderColor: accent || quiet, borderWidth: 2 },
            told: `${one.id} · ${one.shown} · ${told} ${one.generation} · → ${one.infected}`,
            href: one.href,
          })),
          links: cases
            .filter((one) => rows.has(one.infector))
            .map((one) => ({
              source: one.infector,
              target: one.id,
              told: `${one.infector} → ${one.id}: ${Math.round(one.certainty * 100)} %`,
              lineStyle: {
                color: one.decided ? accent : ink,
                width: 0.5 + 2 * one.certainty,
                opacity: 0.3 + 0.6 * one.certainty,
                type: one.certainty >= 0.5 ? "solid" : "dashed",
                curveness: 0.1,
              },
            })),
        },
      ],
    });
    drawn.chart.on("click", (item: { data?: unknown }) => {
      const href = (item.data as { href?: string } | undefined)?.href;
      if (href) window.location.assign(href);
    });
    this.dataset.state = "ready";
  }

  disconnectedCallback(): void {
    this.stop();
  }
}

customElements.define("khien-graph", KhienGraph);
