// The table of the features: their mean absolute relevance, overall and per cluster.

/** Rows that are shown until the reader asks for all. */
const MANY_ROWS = 50;

let featureOrder = { key: "overall", descending: true };

function showFeatures() {
  const magnitude = (each) => (unit) => amountOf(unit, each.mean_magnitude);
  const columns = [
    { key: "name", title: "Feature", value: (unit) => unit.name },
    {
      key: "overall",
      title: "Overall",
      amount: true,
      descendingFirst: true,
      value: magnitude(report.overall),
    },
    ...clusters.map((cluster) => ({
      key: cluster.cluster,
      title: `Cluster ${clusterTitle(cluster.cluster, 24)}`,
      amount: true,
      descendingFirst: true,
      value: magnitude(cluster),
    })),
  ];
  const { value } = columns.find((column) => column.key === featureOrder.key);
  const compare = featureOrder.descending ? d3.descending : d3.ascending;
  showHeaders("#feature-table", columns, featureOrder, (key, descending) => {
    featureOrder = { key, descending };
    showFeatures();
  });
  const sorted = d3.sort(units(), (a, b) => compare(value(a), value(b)));
  const shown = state.allRows ? sorted : sorted.slice(0, MANY_ROWS);
  const inside = (unit) => d3.sort(insideOf(unit), (a, b) => compare(value(a), value(b)));
  fillFeatures(
    shown.flatMap((unit) => (isOpen(unit) ? [unit, ...inside(unit)] : [unit])),
    columns.slice(1),
    d3.max(sorted, (unit) => largest(columns.slice(1).map((column) => column.value(unit)))) ?? 0,
  );
  showMore("#features-more", "#all-rows", MANY_ROWS, state.allRows);
  d3.select("#features-note").text(
    "Mean absolute relevance, |R|, over all points and in each cluster: how strongly a feature contributes, in either direction." +
      (grouping.shown ? " That of a group is the sum of those of its features." : ""),
  );
}

function fillFeatures(rows, columns, maximum) {
  const format = formatFor(maximum);
  const lines = d3.select("#feature-table tbody").selectAll("tr").data(rows).join("tr");
  lines.selectAll("*").remove();
  lines
    .append("th")
    .attr("scope", "row")
    .classed("inside", ({ inside }) => inside !== undefined)
    .each(function (unit) {
      nameUnit(d3.select(this), unit);
    });
  for (const column of columns) {
    lines
      .append("td")
      .attr("class", "amount")
      .text((unit) => format(column.value(unit)))
      .style("--share", (unit) => `${maximum > 0 ? Math.round((40 * column.value(unit)) / maximum) : 0}%`);
  }
}

/** The name of a feature, or of a group with a button that opens it. */
function nameUnit(cell, unit) {
  if (unit.group === null) return writeName(cell, () => unit.name, 200);
  cell
    .append("button")
    .attr("type", "button")
    .attr("class", "link fold")
    .attr("data-group", unit.group)
    .attr("aria-expanded", String(isOpen(unit)))
    .text(`${isOpen(unit) ? "▾" : "▸"} ${brief(unit.name)}`)
    .on("click", () => {
      toggleGroup(unit.group);
      document.querySelector(`#feature-table [data-group="${unit.group}"]`)?.focus({ preventScroll: true });
    });
}

function prepareFeatures() {
  d3.select("#all-rows").on("click", () => {
    state.allRows = !state.allRows;
    showFeatures();
  });
  changed.on("groups.features", showFeatures);
  showFeatures();
}
