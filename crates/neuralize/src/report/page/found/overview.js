// The map of what was found: all points as one mark per cluster, ambiguous ones as another one over it, with the name of the cluster at its centroid.

let overviewTree = d3.quadtree();

/** A drawing context that puts what is drawn at another place. */
function moved(path, left, top) {
  return {
    moveTo: (x, y) => path.moveTo(x + left, y + top),
    lineTo: (x, y) => path.lineTo(x + left, y + top),
    arc: (x, y, ...rest) => path.arc(x + left, y + top, ...rest),
    rect: (x, y, ...rest) => path.rect(x + left, y + top, ...rest),
    closePath: () => path.closePath(),
  };
}

function drawOverview() {
  const host = document.getElementById("overview");
  const width = host.clientWidth;
  if (width === 0) return;
  const height = Math.min(width * 0.8, clusters.length > FEW_CLUSTERS ? 250 : 430);
  const scales = equalScales({ left: 0, top: 0, width, height }, 18);
  const { x, y } = scales;
  const radius = map.radius * 0.75;
  const outlineOf = ({ cluster }, among = () => true) => {
    const path = d3.pathRound(3);
    const symbol = d3.symbol(shape(cluster), Math.PI * radius ** 2);
    for (const point of (membersOf().get(cluster) ?? []).filter(among)) symbol.context(moved(path, x(listed.x[point]), y(listed.y[point])))();
    return path.toString();
  };
  /** A name that would hide its cluster is on its right (1) or left (-1), the others are in the middle (0). */
  const sideOf = ([left], cluster) => (!wouldHide(cluster, scales) ? 0 : x(left) < width / 2 ? 1 : -1);
  const svg = emptyPicture(host, width, height, `Map of ${count(listed.count, "row")} in ${count(clusters.length, "cluster")}`);
  svg.append("rect").attr("class", "frame").attr("x", 0.5).attr("y", 0.5).attr("width", width - 1).attr("height", height - 1);
  svg
    .append("g")
    .selectAll("path")
    .data(clusters)
    .join("path")
    .attr("class", "members")
    .attr("d", (cluster) => outlineOf(cluster))
    .style("fill", ({ cluster }) => colour(cluster))
    .style("stroke", ({ cluster }) => edge(colour(cluster)))
    .style("stroke-width", 0.6);
  svg
    .append("g")
    .selectAll("path")
    .data(clusters)
    .join("path")
    .attr("class", "ambiguous")
    .attr("d", (cluster) => outlineOf(cluster, isAmbiguous))
    .style("fill", ({ cluster }) => faint(colour(cluster)))
    .style("stroke", ({ cluster }) => edge(colour(cluster)))
    .style("stroke-width", 1.3);
  svg
    .append("g")
    .attr("class", clusters.length > MANY_CLUSTERS ? "centroid crowded" : "centroid")
    .selectAll("text")
    .data(report.plane.centroids)
    .join("text")
    .attr("text-anchor", (place, cluster) => ["end", "middle", "start"][sideOf(place, cluster) + 1])
    .attr("x", (place, cluster) => x(place[0]) + MARK_REACH * sideOf(place, cluster))
    .attr("y", ([, top]) => y(top) + 5)
    .text((_, cluster) => clusterTitle(cluster, 18));
  overviewTree = d3.quadtree(
    everyPoint,
    (point) => x(listed.x[point]),
    (point) => y(listed.y[point]),
  );
}

/** Points that the directions of the map are found from, and how clear (a correlation) a direction is. */
const DIRECTION_POINTS = 2000;
const CLEAR_DIRECTION = 0.6;

/** The features that grow or shrink the most along a coordinate of the map, in words; empty if none does clearly. */
function direction(coordinate) {
  const full = everyPoint.filter((point) => listed.detail[point] >= 0);
  const step = Math.ceil(full.length / DIRECTION_POINTS) || 1;
  const some = full.filter((_, at) => at % step === 0);
  const places = some.map((point) => coordinate[point]);
  const middle = d3.mean(places);
  const spread = d3.deviation(places) || 1;
  const found = everyFeature.map((feature) => {
    const values = some.map((point) => rowOf(details.scaled, listed.detail[point])[feature]);
    const mean = d3.mean(values);
    const deviation = d3.deviation(values) || Infinity;
    const together = d3.mean(values, (value, at) => (value - mean) * (places[at] - middle));
    return { feature, correlation: together / (deviation * spread) };
  });
  const strongest = d3.sort(found, (a, b) => d3.descending(Math.abs(a.correlation), Math.abs(b.correlation)));
  return strongest
    .filter(({ correlation }) => Math.abs(correlation) >= CLEAR_DIRECTION)
    .slice(0, 2)
    .map(({ feature, correlation }) => `${correlation > 0 ? "more" : "less"} ${brief(features[feature], 30)}`)
    .join(" and ");
}

/** What the directions of the map mean. */
function directionWords() {
  const words = [
    ["to the right", direction(listed.x)],
    ["upwards", direction(listed.y)],
  ].filter(([, what]) => what !== "");
  if (words.length === 0) return "";
  const said = words.map(([where, what]) => `${where} ${what}`).join("; ");
  return ` ${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

function showOverviewNote() {
  const shown = d3.sum(report.plane.explained);
  const rest =
    shown > 0.995
      ? "It shows all of the variance."
      : `It shows ${shown < 0.7 ? "only " : ""}${percent(shown)} of the variance; clusters that overlap here may be apart in the other ${percent(1 - shown)}.`;
  const some = listed.count < report.total ? ` ${whole(listed.count)} of the ${count(report.total, "row")} are drawn.` : "";
  const note = d3.select("#overview-note");
  const faintWords = ambiguousPoints().size > 0 ? " Ambiguous rows have a faint fill." : "";
  note.text(`Every row in the plane in which the rows differ most.${directionWords()} ${rest}${some}${faintWords}`);
  note.append("span").attr("class", "controls-hint").text(" Click a row to see why it is in its cluster.");
}

function prepareOverview() {
  showOverviewNote();
  const host = document.getElementById("overview");
  const nearest = (event) => overviewTree.find(...d3.pointer(event, host.querySelector("svg")), 14) ?? null;
  d3.select(host)
    .on("pointermove", (event) => d3.select(host).classed("over", nearest(event) !== null))
    .on("click", (event) => {
      const point = nearest(event);
      if (point !== null) visit(point);
    });
  keepDrawn(host, drawOverview);
}
