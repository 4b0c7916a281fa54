// The layout of charts: text widths, and where names, numbers and plots go.

/** Minimum width of a plot. */
const PLOT_WIDTH = 100;
/** Space between columns. */
const GAP = 10;

const measure = once(() => {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  return (text) => context.measureText(text).width;
});
const widest = (texts) => Math.ceil(d3.max(texts, (text) => measure()(text.slice(0, 400))) ?? 0);

/** The name of a row with its place in a group: an arrow before a group, a space before its features. */
function labelOf(row) {
  if ((row.group ?? null) !== null) return `${isOpen(row) ? "▾" : "▸"} ${row.name}`;
  return row.inside === undefined ? row.name : `\u2003${row.name}`;
}

/** Cuts a text to a width, in its middle. */
function shorten(text, width) {
  if (measure()(text) <= width) return text;
  const characters = Array.from(text);
  const fitting = d3
    .bisector((left) => measure()(withoutMiddle(characters, left)))
    .right(d3.range(Math.min(400, characters.length)), width);
  return withoutMiddle(characters, Math.max(2, fitting - 1));
}

/** How many characters the beginnings of all texts share; of texts as characters, so that none is cut in two. */
function sharedLength([first, ...others]) {
  let length = 0;
  while (length < first.length && others.every((other) => other[length] === first[length])) length++;
  return length;
}

/** Cuts names to a width, as a map from each to what is left of it. Those that would become the same are cut where they still are. */
function shortenAll(names, width) {
  const labels = new Map(names.map((name) => [name, shorten(name, width)]));
  for (const alike of d3.group(labels.keys(), (name) => labels.get(name)).values()) {
    const characters = alike.map((name) => Array.from(name));
    const shared = sharedLength(characters);
    if (alike.length === 1 || shared === 0) continue;
    const start = `${characters[0].slice(0, Math.min(6, shared)).join("")}…`;
    const rests = characters.map((each) => each.slice(shared).join(""));
    const ends = shortenAll(rests, width - measure()(start));
    alike.forEach((name, at) => labels.set(name, start + ends.get(rests[at])));
  }
  return labels;
}

/**
 * Lays out the columns of a chart: names, numbers, and plots, which share the remaining width.
 * Names that would leave too little room for them get a line of their own above the rest of their row.
 */
function arrange({ rows, columns }, width) {
  const numbers = new Map(
    columns
      .filter((column) => column.text)
      .map((column) => [column, widest([column.title ?? "", ...rows.map(column.text)])]),
  );
  const plots = columns.filter((column) => column.draw).length;
  const besideName = width - d3.sum(numbers.values()) - GAP * (columns.length - 1);
  const spare = besideName - GAP - plots * PLOT_WIDTH;
  const longest = widest(rows.map(labelOf)) + 2;
  const stacked = longest > Math.min(spare, width * 0.6);
  const nameWidth = stacked ? width : longest;
  const plotWidth = Math.max(30, (besideName - (stacked ? 0 : nameWidth + GAP)) / plots);
  let left = stacked ? 0 : nameWidth + GAP;
  const places = columns.map((column) => {
    const place = { left, width: numbers.get(column) ?? plotWidth };
    left += place.width + GAP;
    return place;
  });
  return { stacked, nameWidth, places, rowHeight: stacked ? 42 : 23 };
}
