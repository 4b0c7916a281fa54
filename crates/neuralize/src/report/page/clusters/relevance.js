// What sets a cluster apart: its mean relevances, in words and as a chart.

/** Features and groups that set a cluster apart, as named on its card; and those of its chart. */
const APART = 3;
const APART_BARS = 13;

/** `proline (29 %), alcohol (21 %)`: the largest mean relevances in parts of the mean logit. */
function apartWords({ cluster, mean_relevance, mean_logit }) {
  if (!(mean_logit > 0)) return "";
  const most = d3.sort(units(), (a, b) => d3.descending(amountOf(a, mean_relevance), amountOf(b, mean_relevance)));
  const named = most.slice(0, APART).filter((unit) => amountOf(unit, mean_relevance) > 0);
  const shares = named.map((unit) => `${brief(unit.name, 40)} (${percent(amountOf(unit, mean_relevance) / mean_logit)})`);
  const { competitor } = profile.clusters[cluster];
  return shares.join(", ") + (competitor === null ? "" : `; mostly from cluster\u00a0${clusterTitle(competitor, 40)}`);
}

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
