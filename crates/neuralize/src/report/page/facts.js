// Pieces that several parts of the page write: facts, names and sizes of clusters, what sets them apart, buttons that show more.

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

/** Features and groups that are named as what sets a cluster apart. */
const APART = 3;

/** `proline (29 %), alcohol (21 %)`: the largest mean relevances in parts of the mean logit. */
function apartWords({ cluster, mean_relevance, mean_logit }) {
  if (!(mean_logit > 0)) return "";
  const most = d3.sort(units(), (a, b) => d3.descending(amountOf(a, mean_relevance), amountOf(b, mean_relevance)));
  const named = most.slice(0, APART).filter((unit) => amountOf(unit, mean_relevance) > 0);
  const shares = named.map((unit) => `${brief(unit.name, 40)} (${percent(amountOf(unit, mean_relevance) / mean_logit)})`);
  const { competitor } = profile.clusters[cluster];
  return shares.join(", ") + (competitor === null ? "" : `; mostly against cluster\u00a0${clusterTitle(competitor, 40)}`);
}
