// Classes and colours of a choropleth.

/**
 * One hue from light to dark, so that the order survives colour blindness, a grey printer and sunlight; each step is
 * told apart from its neighbour by lightness alone.
 */
export const COLOURS = ["#d9ebe3", "#b0d6cd", "#7fb9b5", "#4a949a", "#206b76", "#0b4a4f"];
/** The grades of an epidemic as every decision names them: green, yellow, orange, red. Their names stand in the legend. */
export const GRADES = ["#8fd19e", "#ffe066", "#f08c00", "#a61e1e"];
export const NO_DATA = "#d9d6cf";

export interface Class {
  min: number;
  max: number;
  colour: string;
}

/** `breaks` are the inner borders, rising. The last class includes its upper end. */
export function classes(breaks: number[], low: number, high: number, colours = COLOURS): Class[] {
  const borders = [low, ...breaks, high];
  const count = borders.length - 1;
  return Array.from({ length: count }, (_, at) => ({
    min: borders[at]!,
    max: borders[at + 1]!,
    colour: colours[count === 1 ? colours.length - 1 : Math.round((at * (colours.length - 1)) / (count - 1))]!,
  }));
}

/** Inner borders when the page gives none: equal steps of a share, else fifths of the values. */
export function defaultBreaks(values: number[], share: boolean): number[] {
  if (share) return [0.2, 0.4, 0.6, 0.8];
  const sorted = [...values].sort((a, b) => a - b);
  const fifths = [0.2, 0.4, 0.6, 0.8].map((part) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  return [...new Set(fifths)].filter((edge) => edge > (sorted[0] ?? 0));
}
