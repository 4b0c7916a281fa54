// The marks on the map: points, ambiguous ones with a faint fill, rings around misclassified ones, centroids, and the open point.

let passingTree = d3.quadtree();

function drawMap() {
  drawPoints();
  map.rings
    .selectAll("circle")
    .data(everyPoint.filter(isMisplaced))
    .join("circle")
    .attr("class", "ring")
    .attr("r", map.radius + (map.crowded ? 1.8 : 4))
    .style("stroke-width", map.crowded ? 0.6 : 1.1);
  drawCentroids();
  map.selected
    .selectAll("circle")
    .data(["halo", "line"])
    .join("circle")
    .attr("class", String)
    .attr("r", map.radius + 6);
}

function drawPoints() {
  const strangeLast = d3.sort(everyPoint, (point) => 2 * isMisplaced(point) + isAmbiguous(point));
  const tagOf = (point) => (shape(listed.cluster[point]) === d3.symbolCircle ? "circle" : "path");
  map.points
    .style("--outline", oneToOne === null ? 0.8 : map.radius * 0.45)
    .selectAll(".point")
    .data(strangeLast)
    .join((enter) => enter.append((point) => document.createElementNS(d3.namespaces.svg, tagOf(point))))
    .attr("class", (point) => (isAmbiguous(point) ? "point ambiguous" : "point"))
    .attr("data-row", (point) => listed.row[point])
    .style("fill", (point) => (isAmbiguous(point) ? faint : String)(colour(listed.cluster[point])))
    .style("stroke", outline)
    .each(function (point) {
      if (this.tagName === "circle") this.setAttribute("r", map.radius);
      else this.setAttribute("d", d3.symbol(shape(listed.cluster[point]), Math.PI * map.radius ** 2)());
    });
}

function drawCentroids() {
  const marks = map.centroids
    .selectAll("g")
    .data(report.plane.centroids)
    .join("g")
    .attr("class", "centroid");
  marks
    .selectAll("path")
    .data(["halo", "line"])
    .join("path")
    .attr("class", String)
    .attr("d", "M-6,-6L6,6M-6,6L6,-6");
  marks
    .append("text")
    .attr("x", 9)
    .attr("y", -6)
    .text((_, cluster) => clusterTitle(cluster, 18));
}

function resizeMap() {
  if (map.host.clientWidth === 0) return;
  layOutMap();
  placeMap();
  showPassing();
}

/** Dragging moves one group; only a change of scale touches every mark, to keep its size. */
function placeMap(scaled = true) {
  map.inner.attr("transform", map.transform);
  map.svg.classed("zoomed", map.transform.k > 1);
  drawAxes();
  if (scaled) placeMarks();
  hideTip();
}

function placeMarks() {
  const move = (point) => fixed(placeOf(point));
  map.points.selectAll(".point").attr("transform", move);
  map.rings.selectAll("circle").attr("transform", move);
  map.centroids
    .selectAll("g")
    .attr("transform", ([left, top]) => fixed([map.x(left), map.y(top)]))
    .classed("name-only", (_, cluster) => wouldHide(cluster, map, map.transform.k));
  if (state.point !== null) map.selected.attr("transform", move(state.point));
  if (tipped !== null) map.cursor.attr("transform", move(tipped));
}

/** Fades the points that do not pass the filter; only the others can be hit. */
function showPassing() {
  const faded = (point) => state.passing[point] === 0;
  map.points.selectAll(".point").classed("faded", faded);
  map.rings.selectAll("circle").classed("faded", faded);
  passingTree = d3.quadtree(
    state.ordered,
    (point) => map.x(listed.x[point]),
    (point) => map.y(listed.y[point]),
  );
  setTabStop();
}

function showSelected() {
  map.selected.attr("visibility", state.point === null ? "hidden" : null);
  if (state.point !== null) map.selected.attr("transform", fixed(placeOf(state.point)));
  setTabStop();
}

/** One point at a time is a tab stop: the open one, or the first that passes the filter. */
function setTabStop() {
  const hadFocus = map.points.node().contains(document.activeElement);
  map.points.selectAll("[tabindex]").attr("tabindex", null).attr("role", null).attr("aria-label", null);
  const stop = state.point !== null && state.passing[state.point] ? state.point : state.ordered[0];
  if (stop === undefined) return;
  const element = d3
    .select(map.points.node().querySelector(`[data-row="${listed.row[stop]}"]`))
    .attr("tabindex", 0)
    .attr("role", "button")
    .attr("aria-label", describe(stop));
  if (hadFocus) element.node().focus({ preventScroll: true });
}

changed.on("selection.map", showPassing).on("point.map", showSelected);
