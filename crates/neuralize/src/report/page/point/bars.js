// The values and relevances of the open point as bars.

/** Features that are shown until the reader asks for all. */
const MANY_FEATURES = 30;

function shownFeatures(relevance) {
  const strongest = strongestFirst(relevance);
  const shown = state.allFeatures ? strongest : strongest.slice(0, MANY_FEATURES);
  return document.getElementById("feature-order").value === "data" ? d3.sort(shown) : shown;
}

/** The line below a chart that says how many features it shows, with a button that changes it. */
function showMore(line, button, limit, all) {
  d3.select(line).attr("hidden", features.length > limit ? null : "");
  d3.select(`${line} span`).text(
    all ? `All ${features.length} features.` : `The ${limit} strongest of ${features.length} features.`,
  );
  d3.select(button).text(all ? `Show the strongest ${limit}` : `Show all ${features.length}`);
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
    [ownCentroid(own), `${centroid} of its own cluster, ${clusterName(own)}`],
    [otherCentroid(other), `${centroid} of cluster ${clusterName(other)}`],
  ]) {
    const entry = key.append("span");
    swatch(entry, { ...mark, size: 50 });
    entry.append("span").text(` ${words}`);
  }
}

const ownCentroid = (cluster) => ({ fill: colour(cluster), stroke: "var(--ink)", width: 1.2 });
const otherCentroid = (cluster) => ({ fill: "var(--surface)", stroke: edge(colour(cluster)), width: 2.2 });

function drawBarPanels() {
  const explanation = explanationOf(state.point, state.versus);
  const { own, other, scaled, relevance, limit } = explanation;
  const shownLimit =
    document.getElementById("relevance-scale").value === "point" ? largest(relevance) || 1 : limit;
  const format = formatFor(limit, "+");
  const rows = shownFeatures(relevance).map((feature) => ({
    name: features[feature],
    feature,
    value: pointValueText(feature, explanation),
    number: explanation.values[feature],
    scaled: scaled[feature],
    relevance: relevance[feature],
  }));
  const valuePanel = {
    heading: model.scale === "none" ? "" : "scaled value",
    domain: widened(scaledExtent()),
    draw: (group, x, middle) => {
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

function drawCentroid(rows, x, middle, cluster, { fill, stroke, width }) {
  rows
    .append("circle")
    .attr("class", "centroid-dot")
    .attr("r", 3.6)
    .attr("cy", middle)
    .attr("cx", (row) => x(cluster.centroid_scaled[row.feature]))
    .style("fill", fill)
    .style("stroke", stroke)
    .style("stroke-width", width)
    .append("title")
    .text((row) => `${centroid} of cluster ${clusterName(cluster.cluster)}: ${valueText(row.feature, cluster.centroid[row.feature])}`);
}

