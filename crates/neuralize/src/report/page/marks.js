// Colours, shapes and outlines: how the map, the legends and the headings mark clusters and points.

const COLOURS = 8;
const SHAPES = [
  d3.symbolCircle,
  d3.symbolSquare,
  d3.symbolTriangle,
  d3.symbolDiamond,
  d3.symbolCross,
  d3.symbolStar,
  d3.symbolWye,
];

const colour = (index) => `var(--c${index % COLOURS})`;
const edge = (paint) => `color-mix(in srgb, ${paint} 75%, var(--ink))`;
/** The fill of ambiguous points: faint, but still of the colour of their cluster, since their outline can have that of a class. */
const faint = (paint) => `color-mix(in srgb, ${paint} 25%, var(--surface))`;
const shape = (cluster) => SHAPES[Math.floor(cluster / COLOURS) % SHAPES.length];

const clusterOfClass = once(() => new Map(clusters.map(({ cluster }) => [classOf(cluster), cluster])));

/** The colour of the cluster called by the class of a point, so that a misclassified point has two colours. */
function outline(point) {
  const own = listed.cluster[point];
  const other = oneToOne === null ? own : clusterOfClass().get(listed.class[point]);
  const hidden = other === undefined || (other !== own && colour(other) === colour(own));
  return hidden ? "var(--ink)" : edge(colour(other));
}

/** The picture of a host, of so many pixels and empty; the label says what it shows. */
function emptyPicture(host, width, height, label) {
  const svg = d3.select(host).selectAll("svg").data([null]).join("svg");
  svg.attr("viewBox", `0 0 ${width} ${height}`).attr("role", "img").attr("aria-label", label);
  svg.selectAll("*").remove();
  return svg;
}

/** A small picture of a mark for legends and headings. */
function swatch(
  host,
  { symbol = d3.symbolCircle, fill = "none", stroke = "none", width = 1.5, size = 64 },
) {
  host
    .append("svg")
    .attr("class", "swatch")
    .attr("viewBox", "-8 -8 16 16")
    .attr("aria-hidden", "true")
    .append("path")
    .attr("d", d3.symbol(symbol, size)())
    .style("fill", fill)
    .style("stroke", stroke)
    .style("stroke-width", width);
}

const clusterMark = (cluster) => ({
  symbol: shape(cluster),
  fill: colour(cluster),
  stroke: edge(colour(cluster)),
  width: 1,
});
