// Outlines of areas for maps: where they come from, and where islands far off the main map are drawn.

export interface Feature {
  type: "Feature";
  properties: { id: string | number; name: string; inset?: boolean };
  geometry: unknown;
}
export interface Outlines {
  type: "FeatureCollection";
  features: Feature[];
}

export const isNarrow = (width: number) => width < 480;

/** Where islands go, in pixels: beside the map in a column, on a phone below it in two. */
export function insets(count: number, width: number, height: number) {
  if (!isNarrow(width) || !count) {
    const slot = Math.min(90, (height - 16) / Math.max(count, 1));
    return {
      main: { left: 8, right: count ? 150 : 8, top: 8, bottom: 8 },
      each: (at: number) => ({
        shape: { right: 8, width: 60, top: 8 + at * slot, height: slot - 32 },
        label: { right: 8, top: 8 + at * slot + slot - 21 },
      }),
    };
  }
  const row = 24;
  const top = height - Math.ceil(count / 2) * row;
  return {
    main: { left: 4, right: 4, top: 4, bottom: height - top + 8 },
    each: (at: number) => {
      const left = (at % 2) * (width / 2);
      const y = top + Math.floor(at / 2) * row;
      return { shape: { left, width: 14, top: y, height: 14 }, label: { left: left + 18, top: y + 1 } };
    },
  };
}

export async function fetched(address: string, signal: AbortSignal): Promise<Outlines> {
  const answer = await fetch(address, { signal, credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Outlines;
}

/** ECharts finds areas by a text property. */
export function textual(feature: Feature): Feature {
  return { ...feature, properties: { ...feature.properties, id: String(feature.properties.id) } };
}
