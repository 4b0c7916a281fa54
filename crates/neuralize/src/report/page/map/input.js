// Input on the map: pointer, dragging, zoom and keyboard.

/** The page keeps its wheel and its one-finger scrolling; the map takes over with Ctrl or once enlarged. */
function mayZoom(event) {
  if (event.type === "wheel") return event.ctrlKey || event.metaKey;
  if (event.touches) return event.touches.length > 1 || map.transform.k > 1;
  return event.button === 0;
}

function followZoom(event) {
  const scaled = event.transform.k !== map.transform.k;
  map.transform = event.transform;
  placeMap(scaled);
}

function zoomBy(change) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  change(still ? map.svg : map.svg.transition().duration(250));
}

function pointAt(event) {
  const [left, top] = map.transform.invert(d3.pointer(event, map.svg.node()));
  const reach = (map.radius + (event.pointerType === "touch" ? 16 : 8)) / map.transform.k;
  return passingTree.find(left, top, reach) ?? null;
}

function hover(event) {
  const point = pointAt(event);
  map.svg.classed("over", point !== null);
  if (point === null) hideTip();
  else showTip(point);
}

function pressKey(event) {
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (by !== undefined) {
    event.preventDefault();
    walk(by);
    showTip(state.point);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    visit(d3.select(event.target).datum());
  } else if (event.key === "Escape") {
    hideTip();
  }
}

function showFocused(event) {
  if (event.target.matches(".point:focus-visible")) showTip(d3.select(event.target).datum());
}

function prepareMap() {
  const { svg, zoom } = map;
  zoom.scaleExtent([1, 60]).clickDistance(4).filter(mayZoom).on("zoom", followZoom);
  svg.call(zoom).on("dblclick.zoom", null);
  svg.on("pointermove", hover).on("pointerleave", hideTip);
  svg.on("click", (event) => {
    const point = pointAt(event);
    if (point !== null) visit(point, { focus: "stay" });
  });
  // On the host, because a group of an SVG that listens to the focus becomes a tab stop itself.
  d3.select(map.host).on("keydown", pressKey).on("focusin", showFocused).on("focusout", hideTip);
  d3.select("#zoom-in").on("click", () => zoomBy((target) => zoom.scaleBy(target, 1.6)));
  d3.select("#zoom-out").on("click", () => zoomBy((target) => zoom.scaleBy(target, 1 / 1.6)));
  d3.select("#zoom-reset").on("click", () => zoomBy((target) => zoom.transform(target, d3.zoomIdentity)));
}
