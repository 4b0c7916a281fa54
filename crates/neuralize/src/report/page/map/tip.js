// The tip of the map: a ring around the point under the pointer, and a few words about it.

let tipped = null;

function showTip(point) {
  tipped = point;
  const tip = d3.select("#tip").attr("hidden", null);
  tip.selectAll("*").remove();
  tip.append("strong").text(pointTitle(point));
  const kind = classes === null ? "" : `, class ${className(listed.class[point])}`;
  tip
    .append("span")
    .text(`cluster ${clusterTitle(listed.cluster[point])}${kind}${isMisplaced(point) ? ": misclassified" : ""}${isAmbiguous(point) ? "; ambiguous" : ""}`);
  tip
    .append("span")
    .text(
      `probability ${formatProbability(listed.probability[point])} against cluster ` +
        `${clusterTitle(listed.competitor[point])}, logit ${logitText(point)}`,
    );
  strongestOf(point).forEach(({ feature, relevance }) =>
    tip.append("span").text(`${formatListed()(relevance)} ${brief(features[feature])}`),
  );
  map.cursor.attr("visibility", null).attr("transform", fixed(placeOf(point)));
  placeTip(tip.node(), map.transform.apply(placeOf(point)));
}

function placeTip(tip, [left, top]) {
  const { clientWidth, clientHeight } = map.host;
  const scale = clientWidth / map.size.width;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const beside = left * scale + 16 + width <= clientWidth ? left * scale + 16 : left * scale - 16 - width;
  const below = Math.min(top * scale - 10, clientHeight - height);
  tip.style.left = `${Math.max(0, Math.min(beside, clientWidth - width))}px`;
  tip.style.top = `${Math.max(0, below)}px`;
}

function hideTip() {
  tipped = null;
  d3.select("#tip").attr("hidden", "");
  map.cursor.attr("visibility", "hidden");
}
