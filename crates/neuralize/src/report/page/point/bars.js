// The values and relevances of the open point as bars.

/** Features that are shown until the reader asks for all. */
const MANY_FEATURES = 30;

/** The rows of the charts and of the table: features and groups, the strongest of them. */
function shownRows(relevance) {
  const strongest = strongestUnits(relevance);
  const limit = state.onPaper ? PAPER_ROWS : state.allFeatures ? Infinity : MANY_FEATURES;
  const shown = strongest.slice(0, limit);
  const isAsInData = document.getElementById("feature-order").value === "data";
  const place = ({ features: members }) => d3.min(members);
  return unfolded(isAsInData ? d3.sort(shown, (a, b) => place(a) - place(b)) : shown, relevance);
}

/** The line below a chart that says how many features it shows, with a button that changes it. */
function showMore(line, button, limit, all) {
  const number = units().length;
  const noun = number === features.length ? "features" : "features and groups";
  d3.select(line).attr("hidden", number > limit ? null : "");
  d3.select(`${line} span`).text(
    all ? `All ${whole(number)} ${noun}.` : `The ${limit} strongest of ${whole(number)} ${noun}.`,
  );
  d3.select(button).text(all ? `Show the strongest ${limit}` : `Show all ${whole(number)}`);
}

function showBars() {
  const { own, other } = explanationOf(state.point, state.versus);
  showCentroids(own, other);
  showMore("#bars-more", "#all-features", MANY_FEATURES, state.allFeatures);
  keepDrawn(document.getElementById("bars"), drawBarPanels);
}

function showCentroids(own, other) {
  const key = d3.select("#centroids");
  key.selectAll("*").remove();
  for (const [mark, words] of [
    [ownCentroid(own), `${centroid} of its own cluster, ${clusterTitle(own)}`],
    [otherCentroid(other), `${centroid} of cluster ${clusterTitle(other)}`],
  ]) {
    const entry = key.append("span");
    swatch(entry, { ...mark, size: 50 });
    entry.append("span").text(` ${words}`);
  }
}

const ownCentroid = (cluster) => ({ fill: colour(cluster), stroke: "var(--ink)", width: 1.2 });
const otherCentroid = (cluster) => ({ fill: "var(--surface)", stroke: edge(colour(cluster)), width: 2.2 });

/** The largest relevance that the bars have room for: that of the point, or that of all points. */
function limitOf({ relevance, limit }) {
  if (document.getElementById("relevance-scale").value === "all") return limit;
  return largest([...relevance, ...units().map((unit) => amountOf(unit, relevance))]) || 1;
}

function drawBarPanels() {
  const explanation = explanationOf(state.point, state.versus);
  const { own, other, scaled, relevance } = explanation;
  const shownLimit = limitOf(explanation);
  const format = formatFor(shownLimit, "+");
  const rows = shownRows(relevance).map((unit) => ({
    ...unit,
    value: unit.feature === null ? count(unit.features.length, "feature") : brief(pointValueText(unit.feature, explanation), 24),
    number: explanation.values[unit.feature],
    scaled: scaled[unit.feature],
    relevance: amountOf(unit, relevance),
  }));
  const valuePanel = {
    heading: model.scale === "none" ? "" : "scaled value",
    domain: widened(scaledExtent()),
    draw: (all, x, middle) => {
      const group = all.filter((row) => row.feature !== null);
      drawBars(group, x, middle, {
        kind: () => "value",
        to: (row) => row.scaled,
        value: (row) => row.number,
      });
      drawCentroid(group, x, middle, clusters[other], otherCentroid(other));
      drawCentroid(group, x, middle, clusters[own], ownCentroid(own));
    },
  };
  drawChart(document.getElementById("bars"), {
    all: unfolded(units(), relevance).length,
    label:
      `Relevances of point ${listed.row[state.point]}, which sum to ${format(d3.sum(relevance))}: ` +
      spoken(rows, (row) => format(row.relevance)),
    rows,
    columns: [
      valuePanel,
      { title: "value", kind: "plain", text: (row) => row.value },
      ...relevanceColumns(shownLimit, format),
    ],
  });
}

/** A dot; at the end of the axis a triangle that points to where it would be. */
function drawCentroid(rows, x, middle, cluster, { fill, stroke, width }) {
  const place = (row) => cluster.centroid_scaled[row.feature];
  const end = (row) => within(x, place(row));
  const beyond = (row) => Math.sign(place(row) - end(row));
  rows
    .append("path")
    .attr("class", "centroid-dot")
    .attr("transform", (row) => `translate(${x(end(row)) + 6 * beyond(row)},${middle}) rotate(${90 * beyond(row)})`)
    .attr("d", (row) => d3.symbol(beyond(row) === 0 ? d3.symbolCircle : d3.symbolTriangle, 41)())
    .style("fill", fill)
    .style("stroke", stroke)
    .style("stroke-width", width)
    .append("title")
    .text((row) => `${centroid} of cluster ${clusterTitle(cluster.cluster)}: ${centroidText(row.feature, cluster.centroid[row.feature])}`);
}
