// Charts of one row per feature: names, numbers and bars.

/** Space at both ends of a plot. */
const EDGE = 13;

/** Rows of a chart on paper, where a long one would not fit on a sheet. */
const PAPER_ROWS = 16;

/** On paper the first rows and a sum, and how many are left out. */
function forPaper(rows, all) {
  if (!state.onPaper) return { rows, left: 0 };
  const sums = rows.filter(({ sum }) => sum);
  const shown = rows.filter(({ sum }) => !sum).slice(0, PAPER_ROWS);
  return { rows: [...shown, ...sums], left: all - shown.length - sums.length };
}

/** Draws rows = [{ name, … }], the first of `all`. A column either writes text or draws bars on its own scale. */
function drawChart(host, { all, ...given }) {
  const width = host.clientWidth;
  if (width === 0) return;
  const { rows: shown, left } = forPaper(given.rows, all ?? given.rows.length);
  const chart = { ...given, rows: shown };
  const layout = arrange(chart, width);
  const top = chart.columns.some((column) => column.title || column.sides) ? 20 : 4;
  const bottom = top + chart.rows.length * layout.rowHeight;
  const svg = emptyPicture(host, width, bottom + (left > 0 ? 46 : 24), chart.label).attr("role", chart.rows.some(foldOf) ? "group" : "img");
  const backs = svg.append("g");
  const rows = svg
    .selectAll(".row")
    .data(chart.rows)
    .join("g")
    .attr("class", "row")
    .attr("transform", (_, at) => `translate(0,${top + at * layout.rowHeight})`);
  drawNames(rows, layout);
  chart.columns.forEach((column, at) => {
    const place = layout.places[at];
    const middle = layout.rowHeight - 12;
    if (column.text) drawNumbers(svg, rows, column, place, middle);
    else drawPlot(svg, backs, rows, column, { ...place, top, bottom, middle, rowHeight: layout.rowHeight });
  });
  if (left > 0) svg.append("text").attr("class", "hint").attr("y", bottom + 40).text(`and ${whole(left)} more`);
}

/** The group that a row opens or closes, as text. */
const foldOf = ({ group }) => (group ?? null) !== null && String(group);

function drawNames(rows, { stacked, nameWidth }) {
  const labels = shortenAll(rows.data().map(labelOf), nameWidth);
  const names = rows
    .append("text")
    .attr("class", (row) => (row.sum ? "name sum" : "name"))
    .attr("y", stacked ? 17 : 15.5)
    .text((row) => labels.get(labelOf(row)));
  names.append("title").text((row) => row.name);
  names
    .filter(foldOf)
    .classed("fold", true)
    .attr("data-group", foldOf)
    .attr("tabindex", 0)
    .attr("role", "button")
    .attr("aria-expanded", (row) => String(grouping.open.has(Number(foldOf(row)))))
    .attr("aria-label", (row) => groups[foldOf(row)].name)
    .on("click", (_, row) => toggleGroup(Number(foldOf(row))))
    .on("keydown", pressFold);
}

/** Enter or space opens or closes a group; the focus stays on it, though the chart is drawn anew. */
function pressFold(event, row) {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  const host = event.currentTarget.closest(".chart");
  toggleGroup(Number(foldOf(row)));
  host.querySelector(`[data-group="${foldOf(row)}"]`)?.focus({ preventScroll: true });
}

function drawNumbers(svg, rows, column, { left, width }, middle) {
  if (column.title)
    svg
      .append("text")
      .attr("class", "hint number")
      .attr("x", left + width)
      .attr("y", 11)
      .text(column.title);
  rows
    .append("text")
    .attr("class", (row) => `number ${column.kind} ${row.sum ? "sum" : ""}`)
    .attr("x", left + width)
    .attr("y", middle + 4.5)
    .text(column.text);
}

function drawPlot(svg, backs, rows, column, { left, width, top, bottom, middle, rowHeight }) {
  const x = d3.scaleLinear(column.domain, [left + EDGE, left + width - EDGE]);
  const size = largest(column.domain);
  const formatOf = (number) => column.format ?? (size >= 1e4 || size < 1e-3 ? d3.format("~s") : joinedTicks(x, number));
  const { ticks, format } = column.ticks ? { ticks: column.ticks, format: formatOf(6) } : ticksApart(x, formatOf);
  const axis = d3.axisBottom(x).tickValues(ticks).tickFormat(format).tickSizeOuter(0);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${bottom})`).call(axis);
  backs
    .append("g")
    .attr("class", "grid")
    .attr("transform", `translate(0,${top})`)
    .call(axis.tickSize(bottom - top));
  backs
    .append("line")
    .attr("class", "zero")
    .attr("x1", x(0))
    .attr("x2", x(0))
    .attr("y1", top)
    .attr("y2", bottom);
  drawHeading(svg, column, x, left, width);
  column.draw(rows, x, middle, rowHeight);
}

function drawHeading(svg, column, x, left, width) {
  if (column.heading)
    svg
      .append("text")
      .attr("class", "hint")
      .attr("x", left + EDGE)
      .attr("y", 11)
      .text(column.heading);
  if (column.sides) {
    const room = Math.min(x(0) - left, left + width - x(0)) - 6;
    const [against, plus] = widest(column.sides) > room ? ["−", "+"] : column.sides;
    svg
      .append("text")
      .attr("class", "hint number")
      .attr("x", x(0) - 6)
      .attr("y", 11)
      .text(against);
    svg
      .append("text")
      .attr("class", "hint")
      .attr("x", x(0) + 6)
      .attr("y", 11)
      .text(plus);
  }
}

/** The type of an axis is smaller than that of names. */
const AXIS_TYPE = 11 / 13;

/** As many ticks as fit side by side, with zero among them, and their format; where one would be left, fewer and rounder ones, or the ends. */
function ticksApart(x, formatOf) {
  const isApart = ({ ticks, format }) =>
    ticks.length > 1 && x(ticks[1]) - x(ticks[0]) > AXIS_TYPE * widest(ticks.map(format)) + 4;
  const stridesOf = (number) => {
    const all = x.ticks(number);
    const zero = Math.max(0, all.indexOf(0));
    const format = formatOf(number);
    return d3.range(1, all.length).map((stride) => ({ ticks: all.filter((_, at) => (at - zero) % stride === 0), format }));
  };
  const ends = { ticks: d3.extent(x.ticks(6)), format: formatOf(6) };
  return [6, 4, 3, 2].flatMap(stridesOf).find(isApart) ?? ends;
}

/** Bars from one value to another, but not beyond the axis; each keeps its exact number as data. */
function drawBars(rows, x, middle, { kind, from = () => 0, to, value = to }) {
  const end = (row) => within(x, to(row));
  rows
    .append("rect")
    .attr("class", (row) => `bar ${kind(row)}`)
    .attr("x", (row) => Math.min(x(from(row)), x(end(row))))
    .attr("width", (row) => Math.abs(x(end(row)) - x(from(row))))
    .attr("y", middle - 7)
    .attr("height", 14)
    .attr("data-feature", (row) => row.name)
    .attr("data-value", value);
  const beyond = rows.filter((row) => end(row) !== to(row));
  const sign = (row) => Math.sign(to(row));
  beyond
    .append("path")
    .attr("class", (row) => `bar ${kind(row)}`)
    .attr("d", (row) => `M${x(end(row))},${middle - 7}l${8 * sign(row)},7l${-8 * sign(row)},7z`);
  const words = (row) => withDigits(to(row), 3);
  const isInside = (row) => !kind(row).startsWith("value") && Math.abs(x(end(row)) - x(from(row))) > widest([words(row)]);
  beyond
    .append("text")
    .attr("class", (row) => `beyond${sign(row) > 0 ? " number" : ""}${isInside(row) ? " inside" : ""}`)
    .attr("x", (row) => x(end(row)) - 3 * sign(row))
    .attr("y", middle + 4)
    .text(words);
}

/** The number, or the end of the axis before it. */
function within(x, number) {
  const [low, high] = x.domain();
  return Math.min(high, Math.max(low, number));
}

/** The rows of a chart in words, for screen readers. */
const spoken = (rows, text) => rows.map((row) => `${row.name} ${text(row)}`).join(", ");

const side = (number) => (number < 0 ? "against" : "for");

/** Room for a number and as much on the other side of zero; never less than so much. */
const around = (numbers, least) => {
  const limit = Math.max(largest(numbers), least);
  return [-limit, limit];
};

/**
 * The same for most of the numbers: not for those that are more than thrice the next smaller one, from the middle one on.
 * For all, if the others are so slight that they show nothing in any case.
 */
const aroundMost = (numbers, least) => {
  const sizes = d3.sort(numbers.map(Math.abs));
  const room = (limit, size) => (size > 3 * limit ? limit : Math.max(limit, size));
  const limit = sizes.reduce(room, Math.max(least, sizes[Math.floor((sizes.length - 1) / 2)] ?? 0));
  const others = largest(sizes.filter((size) => size <= limit));
  return around(limit < largest(sizes) && others > least / 4 ? [1.25 * limit] : sizes, least);
};

const widened = ([low, high]) => (low === high ? [low, high + 1] : [low, high]);

/** Two columns: relevances as bars to either side of zero, and as numbers. */
const relevanceColumns = (limit, format) => [
  {
    sides: ["− against", "+ for"],
    domain: [-limit, limit],
    draw: (rows, x, middle) =>
      drawBars(rows, x, middle, {
        kind: (row) => `relevance ${side(row.relevance)}`,
        to: (row) => row.relevance,
      }),
  },
  { kind: "relevance", text: (row) => format(row.relevance) },
];

const charts = new Map();
const resized = new ResizeObserver((entries) => {
  if (!state.onPaper) entries.forEach(({ target }) => charts.get(target)());
});

/** Before the page is printed, its charts are drawn about as wide as they are on paper, and afterwards as before. */
window.addEventListener("beforeprint", () => {
  state.onPaper = true;
  document.body.classList.add("for-paper");
  charts.forEach((redraw) => redraw());
  document.body.classList.remove("for-paper");
});
window.addEventListener("afterprint", () => {
  state.onPaper = false;
  charts.forEach((redraw) => redraw());
});

/** Draws now, and again whenever the width of the host changes, or screen and paper; a hidden host has no width. */
function keepDrawn(host, draw) {
  let [width, onPaper] = [host.clientWidth, state.onPaper];
  charts.set(host, () => {
    if (host.clientWidth === 0 || (host.clientWidth === width && state.onPaper === onPaper)) return;
    [width, onPaper] = [host.clientWidth, state.onPaper];
    draw();
  });
  draw();
  resized.observe(host);
}
