// The table beside a map or chart is where its figures come from, and what a screen reader reads instead.

export interface Row {
  id: string;
  name: string;
  /** Null where there is no figure: shown as "no data", never as zero. */
  value: number | null;
  /** As the page wrote it, in the reader's language. */
  shown: string;
  element: HTMLTableRowElement | null;
  link: HTMLAnchorElement | null;
}

/** Templates write a decimal comma in Vietnamese and group nothing. What is not a number is no figure. */
function number(text: string | null | undefined): number | null {
  const plain = (text ?? "").trim().replace(",", ".");
  return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
}

/** Rows `<tr data-id data-value>`: the name is the row's header cell, the shown value the cell with data-shown. */
export function rowsOf(table: HTMLTableElement): Row[] {
  return [...table.querySelectorAll<HTMLTableRowElement>("tr[data-id]")].map((element) => ({
    id: element.dataset.id!,
    name: element.querySelector("th")?.textContent?.trim() ?? "",
    value: number(element.dataset.value),
    shown: element.querySelector("[data-shown]")?.textContent?.trim() ?? element.dataset.value ?? "",
    element,
    link: element.querySelector("a"),
  }));
}

/** Rows of a JSON answer: `[{id, name, value, shown?}]`. */
export function rowsOfJson(answer: { id: string | number; name: string; value: number | null; shown?: string }[]): Row[] {
  return answer.map(({ id, name, value, shown }) => ({
    id: String(id),
    name,
    value,
    shown: shown ?? (value === null ? "" : String(value)),
    element: null,
    link: null,
  }));
}

/** Columns of a table of figures: header row gives the series, the first cell of each row the category. */
export function columnsOf(table: HTMLTableElement): { categories: string[]; series: { name: string; values: (number | null)[] }[] } {
  const heads = [...table.querySelectorAll("thead th")].slice(1).map((cell) => cell.textContent?.trim() ?? "");
  const rows = [...table.querySelectorAll<HTMLTableRowElement>("tbody tr")];
  return {
    categories: rows.map((row) => row.cells[0]?.textContent?.trim() ?? ""),
    series: heads.map((name, column) => ({
      name,
      values: rows.map((row) => number((row.cells[column + 1] as HTMLElement | undefined)?.dataset.value)),
    })),
  };
}
