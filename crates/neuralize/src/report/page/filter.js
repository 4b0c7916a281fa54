// The form that finds a row by its number and filters the points.

function prepareFilter() {
  d3.select("#filter-cluster")
    .selectAll("option")
    .data([null, ...clusters])
    .join("option")
    .attr("value", (cluster) => (cluster === null ? "" : cluster.cluster))
    .text((cluster) => (cluster === null ? "all" : `cluster ${clusterName(cluster.cluster)}`));
  d3.select("#misplaced-field").attr("hidden", listed.misplaced === null ? "" : null);
  d3.select("#filter").on("submit", openFound);
  d3.select("#filter-cluster").on("change", (event) => {
    const { value } = event.target;
    filterBy({ cluster: value === "" ? null : Number(value) });
  });
  d3.select("#filter-misplaced").on("change", (event) => filterBy({ misplaced: event.target.checked }));
  d3.select("#filter-probability").on("input", (event) =>
    filterBy({ probability: Number(event.target.value) }),
  );
  d3.select("#ambiguous-first").on("change", (event) =>
    orderBy(event.target.checked ? "probability" : "row", false),
  );
  d3.select("#clear").on("click", clearFilter);
}

function clearFilter() {
  document.getElementById("find").value = "";
  d3.select("#find-message").text("");
  state.order = { key: "row", descending: false };
  filterBy({ cluster: null, misplaced: false, probability: 1 });
}

function showFilter() {
  const { cluster, misplaced, probability } = state.filter;
  d3.select("#filter-cluster").property("value", cluster ?? "");
  d3.select("#filter-misplaced").property("checked", misplaced);
  d3.select("#filter-probability").property("value", probability);
  d3.select("#probability-limit").text(probability.toFixed(2));
  d3.select("#ambiguous-first").property(
    "checked",
    state.order.key === "probability" && !state.order.descending,
  );
  d3.select("#count").text(`${whole(state.ordered.length)} of ${count(listed.count, "point")} shown`);
}

function openFound(event) {
  event.preventDefault();
  const text = document.getElementById("find").value.trim();
  const row = /^\d+$/.test(text) ? Number(text) : null;
  const point = row === null ? null : pointOfRow(row);
  if (point === null) return sayUnknown(row);
  visit(point);
}

changed.on("selection.filter", showFilter);
