// The legend of the map.

function showLegend() {
  const legend = d3.select("#legend");
  const entry = (mark, words) => {
    const item = legend.append("li");
    swatch(item, mark);
    item.append("span").text(words);
  };
  clusters.forEach(({ cluster }) => {
    const called = classOf(cluster);
    entry(
      clusterMark(cluster),
      `cluster ${clusterTitle(cluster)}${called === null ? "" : ` (class ${className(called)})`}`,
    );
  });
  if (oneToOne !== null) {
    if (classes.some((_, index) => !clusterOfClass().has(index))) {
      entry({ stroke: "var(--ink)", width: 3 }, "class without a matched cluster");
    }
    entry({ stroke: "var(--ink)", width: 1.1, size: 130 }, "misclassified");
  }
  if (ambiguousPoints().size > 0) {
    entry({ fill: faint("var(--ink)"), stroke: "var(--ink)", width: 1.5, size: 50 }, "faint fill: ambiguous, nearly in another cluster");
  }
  entry({ symbol: d3.symbolTimes, stroke: "var(--ink)", width: 2 }, `${centroid} of a cluster`);
  d3.select("#map-note").text(
    oneToOne === null
      ? ""
      : "Fill: cluster. Outline: the cluster matched to the class of the point; dark if there is none or if both " +
          "have the same colour.",
  );
}
