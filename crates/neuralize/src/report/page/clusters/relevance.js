// What sets a cluster apart: its mean relevances as a chart.

/** Features and groups of the chart of a card. */
const APART_BARS = 13;

function drawRelevancesOf(host, cluster) {
  const { mean_relevance, deviation } = cluster;
  const strongest = strongestUnits(mean_relevance);
  const shown = state.openCards.has(cluster.cluster) ? strongest : strongest.slice(0, APART_BARS);
  const rows = unfolded(shown, mean_relevance).map((unit) => ({
    ...unit,
    mean: amountOf(unit, mean_relevance),
    // Deviations of features do not add up to that of their group.
    deviation: unit.feature === null ? 0 : deviation[unit.feature],
  }));
  const limit = d3.max(rows, ({ mean, deviation: spread }) => Math.abs(mean) + spread) || 1;
  const format = formatFor(limit, "+");
  drawChart(host, {
    label: `Mean relevances in cluster ${clusterName(cluster.cluster)}: ${spoken(rows, (row) => format(row.mean))}`,
    rows,
    columns: [
      {
        sides: ["− against", "+ for"],
        domain: [-limit, limit],
        draw: (group, x, middle) => {
          drawBars(group, x, middle, { kind: (row) => `mean ${side(row.mean)}`, to: (row) => row.mean });
          group
            .filter((row) => row.deviation > 0)
            .append("path")
            .attr("class", "whisker")
            .attr(
              "d",
              ({ mean, deviation: spread }) => `M${x(mean - spread)},${middle - 3}v6m0,-3H${x(mean + spread)}m0,-3v6`,
            );
        },
      },
      { kind: "relevance", text: (row) => format(row.mean) },
    ],
  });
}
