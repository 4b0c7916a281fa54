// Pieces that several parts of the page write: facts, names and sizes of clusters, buttons that show more.

/** A fact in a list of facts: a title, a text and a note in small print. */
function showFact(host, title, text, note) {
  const fact = d3.select(host).append("div");
  fact.append("dt").text(title);
  const description = fact.append("dd").text(text);
  if (note) description.append("small").text(` ${note}`);
  return description;
}

/** The mark and the name of a cluster as a heading. */
function nameCluster(host, cluster) {
  swatch(host, clusterMark(cluster));
  writeName(host.append("span"), () => `Cluster ${clusterName(cluster)}`, 90);
  const called = classOf(cluster);
  if (called !== null && clusterName(cluster) !== classes[called]) {
    host.append("small").text(`class ${className(called)}`);
  }
}

/** Size and share of a cluster in words. */
const sizeWords = ({ points }) => `${count(points, "row")}, ${percent(points / report.total)}`;

/** A button that shows all of many things, or the first of them again. */
function showAllButton(line, button, all, limit, isAll, noun) {
  d3.select(line).attr("hidden", all > limit ? null : "");
  d3.select(button).text(isAll ? `Show the first ${limit} ${noun}` : `Show all ${whole(all)} ${noun}`);
}
