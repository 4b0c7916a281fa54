// What was found, in words: the lead, a line per cluster, and how sure the clusters are.

/** Features that the lead names, and clusters that have a line until the reader asks for all. */
const NAMED_FEATURES = 4;
const MANY_CLUSTERS = 12;
/** Clusters whose lines leave room for the words below them on the first screen. */
const FEW_CLUSTERS = 4;

/** `a, b and c`, or `a, b and 7 more`. */
function inWords(names, limit) {
  const more = names.length - limit;
  const shown = (more > 0 ? names.slice(0, limit) : names).map((name) => brief(name, 40));
  const last = more > 0 ? `${whole(more)} more` : shown.pop();
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

function showLead() {
  d3.select("#lead").text(
    `${count(clusters.length, "cluster")} of ${count(report.total, "row")}, found by ${model.kind} on ` +
      `${count(features.length, "feature")}: ${inWords(features, NAMED_FEATURES)}; ${scaleWords[model.scale]}.`,
  );
}

/** What the sentence of a cluster says after its name and size, which stand beside it. */
function afterOpening(cluster) {
  const { sentence } = profile.clusters[cluster];
  const end = sentence.startsWith(`Cluster ${clusterName(cluster)} (`) ? sentence.indexOf("): ") : -1;
  const rest = end < 0 ? sentence : sentence.slice(end + 3);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function showFound() {
  const shown = state.allFound ? clusters : clusters.slice(0, MANY_CLUSTERS);
  const lines = d3.select("#found-clusters").selectAll("li").data(shown).join("li");
  lines.selectAll("*").remove();
  lines.each(function (cluster) {
    const head = d3.select(this).append("p").attr("class", "found-head");
    nameCluster(head.append("strong").attr("class", "cluster-name"), cluster.cluster);
    const size = head.append("span").attr("class", "size");
    size
      .append("span")
      .attr("class", "size-bar")
      .style("--cluster", colour(cluster.cluster))
      .append("span")
      .style("width", `${(100 * cluster.points) / report.total}%`);
    size.append("span").text(sizeWords(cluster));
    writeName(d3.select(this).append("p").attr("class", "found-words"), () => afterOpening(cluster.cluster), 600);
  });
  showAllButton("#found-more", "#all-found", clusters.length, MANY_CLUSTERS, state.allFound, "clusters");
}

/** How many rows are ambiguous, in words. */
function ambiguousWords() {
  const rows = profile.clusters.map(({ ambiguous }, at) => Math.round(ambiguous * clusters[at].points));
  const all = d3.sum(rows);
  const rule =
    "A row is ambiguous if its logit, the margin by which it is in its cluster, is below a tenth of the median logit " +
    "of that cluster.";
  if (all === 0) return `No row is ambiguous. ${rule}`;
  const most = d3.greatestIndex(profile.clusters, ({ ambiguous }) => ambiguous);
  const where = clusters.length < 2 ? "" : `, most often in cluster ${clusterTitle(most)} (${percent(profile.clusters[most].ambiguous)})`;
  const are = all === 1 ? "is" : "are";
  return `${whole(all)} of ${count(report.total, "row")} ${are} ambiguous (${percent(all / report.total)})${where}. ${rule}`;
}

/** What is known about the number of clusters, in words. */
function numberWords() {
  if (choice === null) {
    return `Whether ${whole(clusters.length)} is the right number was not looked into for this page; neuralize choose compares it with others.`;
  }
  const sentence = choice.sentence.replace(/\.?$/, ".");
  const begun = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
  if (choice.recommended === clusters.length) return begun;
  const shown = `This page shows ${whole(clusters.length)}`;
  return choice.recommended === null ? `${begun} ${shown}.` : `${shown}; recommended are ${sentence}`;
}

function showSure() {
  const answers = [
    ["How many?", numberWords()],
    ["How sure?", ambiguousWords()],
    ...(profile.classes === null || classes === null ? [] : [["Like the known classes?", agreementWords()]]),
  ];
  const host = d3.select("#sure");
  for (const [title, words] of answers) {
    host.append("dt").text(title);
    host.append("dd").text(words);
  }
}

/** How far clusters and known classes agree (Steinley 2004), in words. */
function agreementWords() {
  const { adjusted_rand: index } = profile.classes;
  const grades = [
    [0.9, "agree very well"],
    [0.8, "agree well"],
    [0.65, "agree moderately"],
    [0.2, "agree poorly"],
    [-Infinity, "hardly agree"],
  ];
  const [, grade] = grades.find(([least]) => index >= least);
  const name = report.label === null ? "classes" : `classes of ${brief(report.label, 40)}`;
  const called =
    oneToOne === null || report.agreeing === null
      ? ""
      : ` Nearly one to one: ${whole(report.agreeing)} of ${count(report.total, "row")} are in the cluster of their class.`;
  return `Clusters and ${name} ${grade} (adjusted Rand index ${twoDigits(index)}).${called}`;
}

const twoDigits = d3.format(".2f");

function prepareFound() {
  d3.select("#first").classed("many", clusters.length > FEW_CLUSTERS);
  showLead();
  showFound();
  showSure();
  d3.select("#all-found").on("click", () => {
    state.allFound = !state.allFound;
    showFound();
  });
}
