// The form that filters the points.

function prepareFilter() {
  d3.select("#filter-cluster")
    .selectAll("option")
    .data([null, ...clusters])
    .join("option")
    .attr("value", (cluster) => (cluster === null ? "" : cluster.cluster))
    .text((cluster) => (cluster === null ? "all" : `cluster ${clusterTitle(cluster.cluster)}`));
  d3.select("#misplaced-field").attr("hidden", oneToOne === null ? "" : null);
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
  clearFound();
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

changed.on("selection.filter", showFilter);
