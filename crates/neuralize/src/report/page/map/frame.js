// The frame of the map: its layers, axes and scales, and where a point lies in it.

const map = {
  host: document.getElementById("map-plot"),
  crowded: listed.count > 800,
  radius: listed.count > 3000 ? 2.6 : listed.count > 800 ? 3.4 : 4.6,
  margin: { top: 8, right: 8, bottom: 38, left: 46 },
  size: { width: 0, height: 0 },
  x: d3.scaleLinear(),
  y: d3.scaleLinear(),
  transform: d3.zoomIdentity,
  zoom: d3.zoom(),
};
map.svg = d3.select(map.host).append("svg").attr("role", "group").attr("aria-labelledby", "map-heading");
map.clip = map.svg.append("clipPath").attr("id", "map-clip").append("rect");
map.xAxis = map.svg.append("g").attr("class", "axis");
map.yAxis = map.svg.append("g").attr("class", "axis");
map.xTitle = map.svg.append("text").attr("class", "hint").attr("text-anchor", "middle");
map.yTitle = map.svg.append("text").attr("class", "hint").attr("text-anchor", "middle");
map.frame = map.svg.append("rect").attr("class", "frame");
map.inner = map.svg.append("g").attr("clip-path", "url(#map-clip)").append("g");
map.points = map.inner.append("g");
map.rings = map.inner.append("g");
map.centroids = map.inner.append("g");
map.selected = map.inner.append("g").attr("class", "selected");
map.cursor = map.inner
  .append("circle")
  .attr("class", "cursor")
  .attr("r", map.radius + 4)
  .attr("visibility", "hidden");

const placeOf = (point) => [map.x(listed.x[point]), map.y(listed.y[point])];

/** Moves a mark to its place and keeps its size when the map is enlarged. */
const fixed = ([left, top]) => `translate(${left},${top}) scale(${1 / map.transform.k})`;

/** Pixels that a mark at a centroid covers to every side. */
const MARK_REACH = 9;

/** Whether a mark at the centroid of a cluster would hide all of its points, on a map with these scales. */
function wouldHide(cluster, { x, y }, enlarged = 1) {
  const [left, top] = report.plane.centroids[cluster];
  const isUnder = (point) =>
    enlarged * Math.hypot(x(listed.x[point]) - x(left), y(listed.y[point]) - y(top)) < MARK_REACH;
  const members = membersOf().get(cluster) ?? [];
  return members.length > 0 && members.every(isUnder);
}

/** Fits frame, axes and scales to the width of the page. */
function layOutMap() {
  const width = map.host.clientWidth;
  const height = Math.min(width * 0.92, 620);
  const { margin } = map;
  const box = {
    left: margin.left,
    top: margin.top,
    width: width - margin.left - margin.right,
    height: height - margin.top - margin.bottom,
  };
  map.size = { width, height };
  map.svg.attr("viewBox", `0 0 ${width} ${height}`);
  for (const rect of [map.clip, map.frame]) {
    rect.attr("x", box.left).attr("y", box.top).attr("width", box.width).attr("height", box.height);
  }
  const scales = equalScales(box, 22);
  Object.assign(map, scales);
  placeAxes(box);
  map.zoom.extent([
    [box.left, box.top],
    [box.left + box.width, box.top + box.height],
  ]);
  map.zoom.translateExtent([
    [box.left - 60, box.top - 60],
    [width + 60, height + 60],
  ]);
}

/** Scales of the plane in a box: both axes have the same unit of length, so that distances are distances. */
function equalScales(box, room) {
  const [left, right] = extentOf(listed.x, 0);
  const [low, high] = extentOf(listed.y, 1);
  const unit = Math.min(
    (box.width - 2 * room) / (right - left || 1),
    (box.height - 2 * room) / (high - low || 1),
  );
  const halfWidth = box.width / unit / 2;
  const halfHeight = box.height / unit / 2;
  const [xMiddle, yMiddle] = [(left + right) / 2, (low + high) / 2];
  return {
    x: d3.scaleLinear([xMiddle - halfWidth, xMiddle + halfWidth], [box.left, box.left + box.width]),
    y: d3.scaleLinear([yMiddle - halfHeight, yMiddle + halfHeight], [box.top + box.height, box.top]),
  };
}

const extentOf = (coordinates, axis) =>
  d3.extent([...d3.extent(coordinates), ...report.plane.centroids.map((place) => place[axis])]);

function placeAxes(box) {
  const titleOf = (axis) =>
    `PC ${axis + 1} (${percent(report.plane.explained[axis])} of the variance)`;
  map.xAxis.attr("transform", `translate(0,${box.top + box.height})`);
  map.yAxis.attr("transform", `translate(${box.left},0)`);
  map.xTitle
    .attr("x", box.left + box.width / 2)
    .attr("y", map.size.height - 4)
    .text(titleOf(0));
  map.yTitle.attr("transform", `translate(11,${box.top + box.height / 2}) rotate(-90)`).text(titleOf(1));
}

/** Draws the axes for the part of the plane that is visible. */
function drawAxes() {
  const axis = (kind, scale) => kind(scale).ticks(5).tickFormat(joinedTicks(scale, 5)).tickSizeOuter(0);
  map.xAxis.call(axis(d3.axisBottom, map.transform.rescaleX(map.x)));
  map.yAxis.call(axis(d3.axisLeft, map.transform.rescaleY(map.y)));
}
