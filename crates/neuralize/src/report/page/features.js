// The table of the features: their mean absolute relevance, overall and per cluster.

let featureOrder = { key: "overall", descending: true };

function showFeatures() {
  const magnitude = (cluster) => (feature) => cluster.mean_magnitude[feature];
  const columns = [
    { key: "name", title: "Feature", value: (feature) => features[feature] },
    {
      key: "overall",
      title: "Overall",
      amount: true,
      descendingFirst: true,
      value: magnitude(report.overall),
    },
    ...clusters.map((cluster) => ({
      key: cluster.cluster,
      title: `Cluster ${clusterName(cluster.cluster)}`,
      amount: true,
      descendingFirst: true,
      value: magnitude(cluster),
    })),
  ];
  const maximum = largest([report.overall, ...clusters].flatMap((each) => each.mean_magnitude));
  const format = formatFor(maximum);
  const { value } = columns.find((column) => column.key === featureOrder.key);
  const compare = featureOrder.descending ? d3.descending : d3.ascending;
  showHeaders("#feature-table", columns, featureOrder, (key, descending) => {
    featureOrder = { key, descending };
    showFeatures();
  });
  const rows = d3
    .select("#feature-table tbody")
    .selectAll("tr")
    .data(d3.sort(everyFeature, (a, b) => compare(value(a), value(b))))
    .join("tr");
  rows.selectAll("*").remove();
  rows
    .append("th")
    .attr("scope", "row")
    .text((feature) => features[feature]);
  for (const column of columns.slice(1)) {
    rows
      .append("td")
      .attr("class", "amount")
      .text((feature) => format(column.value(feature)))
      .style("--share", (feature) => `${maximum > 0 ? Math.round((40 * column.value(feature)) / maximum) : 0}%`);
  }
}
