// What was found, in words: the lead, a line per cluster, and how sure the clusters are.

/** Features that the lead names, and clusters that have a line until the reader asks for all. */
const NAMED_FEATURES = 8;
const MANY_CLUSTERS = 12;
/** Clusters whose lines leave room for the words below them on the first screen. */
const FEW_CLUSTERS = 3;
/** Clusters whose lines leave room for what sets them apart. */
const ROOM_FOR_APART = 5;
/** Lines of a sentence that the first screen has room for in any case, and that it has at most. */
const linesOf = (number) => (number <= 3 ? 3 : number <= 7 ? 2 : 1);
const MOST_LINES = 8;

/** `a, b and c`, or `a, b and 7 more`. */
function inWords(names, limit, length = 40) {
  const more = names.length - limit;
  const shown = (more > 0 ? names.slice(0, limit) : names).map((name) => brief(name, length));
  const last = more > 0 ? `${whole(more)} more` : shown.pop();
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

/** That the clusters were found in other rows; empty if they were found in these. */
const fittedWords = profile.fitted === null ? "" : ` ${profile.fitted}`;

function showLead() {
  d3.select("#lead").text(
    `${count(report.total, "row")} in ${count(clusters.length, "cluster")}, found by ${model.kind} on ` +
      `${count(features.length, "feature")}: ${inWords(features, NAMED_FEATURES)}; ${scaleWords[model.scale]}.${fittedWords}`,
  );
}

/** What the sentence of a cluster says after its name and size, which stand beside it. */
function afterOpening(cluster) {
  const { sentence } = profile.clusters[cluster];
  const end = sentence.startsWith(`Cluster ${clusterName(cluster)} (`) ? sentence.indexOf("): ") : -1;
  const rest = said(end < 0 ? sentence : sentence.slice(end + 3));
  // The name of a column stays as it is.
  if (features.some((name) => rest.startsWith(`${name} `))) return rest;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** Whether a cluster does not come back reliably. */
const isWeak = (grade) => !grade.startsWith("stable");

function showFound() {
  const shown = state.allFound ? clusters : clusters.slice(0, MANY_CLUSTERS);
  const lines = d3.select("#found-clusters").selectAll("li").data(shown).join("li");
  lines.selectAll("*").remove();
  lines.each(function (cluster) {
    const head = d3.select(this).append("p").attr("class", "found-head");
    nameCluster(head.append("a").attr("class", "cluster-name").attr("href", `#cluster-${cluster.cluster}`), cluster.cluster);
    const { grade } = profile.clusters[cluster.cluster];
    if (grade !== null) {
      head.append("span").attr("class", "grade small").classed("weak", isWeak(grade)).text(grade);
    }
    const size = head.append("span").attr("class", "size");
    size
      .append("span")
      .attr("class", "size-bar")
      .style("--cluster", colour(cluster.cluster))
      .append("span")
      .style("width", `${(100 * cluster.points) / report.total}%`);
    size.append("span").text(sizeWords(cluster));
    writeSentence(d3.select(this).append("p").attr("class", "found-words").append("span"), () => afterOpening(cluster.cluster), 600);
    const apart = clusters.length > ROOM_FOR_APART ? "" : apartWords(cluster);
    if (apart !== "") d3.select(this).append("p").attr("class", "found-apart small").text(`Set apart by ${apart}.`);
  });
  showAllButton("#found-more", "#all-found", clusters.length, MANY_CLUSTERS, state.allFound, "clusters");
  fitFound();
}

/** Gives the sentences as many lines as the window has room for, and those that are still cut a title. */
function fitFound() {
  const first = d3.select("#first");
  const isBelow = (part) => document.querySelector(part).getBoundingClientRect().bottom + scrollY > innerHeight - 8;
  const least = linesOf(clusters.length);
  for (let lines = MOST_LINES; lines >= least; lines--) {
    first.style("--lines", lines).style("--apart-lines", lines > least ? 2 : 1);
    if (![".first-list", "#sure"].some(isBelow)) break;
  }
  const title = (element, whole) => (element.scrollHeight > element.clientHeight + 1 || element.textContent !== whole ? whole : null);
  d3.selectAll("#found-clusters li").each(function ({ cluster }) {
    const [words, apart] = [".found-words span", ".found-apart"].map((part) => this.querySelector(part));
    d3.select(words).attr("title", title(words, afterOpening(cluster)));
    if (apart !== null) d3.select(apart).attr("title", title(apart, apart.textContent));
  });
}

/** Fewer rows than this in a cluster are too few to tell whether it comes back. */
const LEAST_ROWS = 5;

/** Why it is not known whether the clusters come back. */
function unknownStability() {
  if (report.names !== null) return "The clusters were given by labels, so nothing says whether a fit would find them.";
  const large = clusters.filter(({ points }) => points >= LEAST_ROWS).length;
  const reason = large < 2 ? `too few rows, since ${large === 0 ? "no" : "only one"} cluster has ${LEAST_ROWS} or more` : "it was not looked into";
  return `Not known: whether the clusters come back when rows are drawn again cannot be told (${reason}).`;
}

/** Whether the clusters come back, and that this says nothing about a number that was given. */
function stabilityWords() {
  if (clusters.length < 2) return "";
  if (profile.stability === null) return `${unknownStability()} `;
  const isWarned = choice !== null || profile.clusters.some(({ grade }) => grade !== null && isWeak(grade));
  return `${said(profile.stability)} ${isWarned ? "" : `That clusters come back does not say that ${whole(clusters.length)} is the right number. `}`;
}

/** How many rows are ambiguous, in words. */
function ambiguousWords() {
  const rows = profile.clusters.map(({ ambiguous }, at) => Math.round(ambiguous * clusters[at].points));
  const all = d3.sum(rows);
  const rule = "Ambiguous: its logit, the margin by which it is in its cluster, is below a tenth of the cluster’s median.";
  if (all === 0) return `Given these clusters, no row is ambiguous: none is nearly in another one. ${rule}`;
  const most = d3.greatestIndex(rows);
  const having = d3.range(rows.length).filter((cluster) => rows[cluster] > 0);
  const where =
    rows[most] <= all / 2
      ? `they are in clusters ${inWords(having.map((cluster) => clusterName(cluster)), 3)}`
      : `${all === 1 ? "it is" : rows[most] === all ? "all are" : "most are"} in cluster ${clusterTitle(most)}`;
  const are = all === 1 ? "is" : "are";
  return (
    `Given these clusters, ${whole(all)} of ${count(report.total, "row")} ${are} ambiguous (${percent(all / report.total)}): ` +
    `${where}, but nearly in another one. ${rule}`
  );
}

/** What the figures of a sentence mean. */
function meanings(sentence) {
  const words = [
    ["ARI", "ARI: how far clusterings of resampled rows agree, 1 at best."],
    ["silhouette", "Silhouette: how much nearer rows are to their own cluster than to the next one, 1 at best."],
    ["lonely", "Lonely rows are far from all others; they are in their clusters, but did not count for the number."],
  ];
  return words.filter(([word]) => sentence.includes(word)).map(([, meaning]) => ` ${meaning}`).join("");
}

/** What is known about the number of clusters, in words; and what these mean. */
function numberWords(explained) {
  if (choice === null) {
    return `The number ${whole(clusters.length)} was given, and not checked: “neuralize choose” compares it with others.`;
  }
  const sentence = said(choice.sentence).replace(/\.?$/, ".");
  const rest = `${fittedWords}${explained ? meanings(sentence) : ""}`;
  const begun = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${rest}`;
  if (choice.recommended === clusters.length) return begun;
  const shown = `This page shows ${whole(clusters.length)}`;
  return choice.recommended === null ? `${begun} ${shown}.` : `${shown}; recommended are ${sentence}${rest}`;
}

function showSure() {
  const hasRoom = clusters.length <= FEW_CLUSTERS;
  const answers = [
    ["How many?", numberWords(hasRoom)],
    ["How sure?", stabilityWords() + ambiguousWords()],
    ...(profile.classes === null || classes === null ? [] : [["Like the known classes?", agreementWords()]]),
  ];
  const host = d3.select("#sure");
  for (const [title, words] of answers) {
    host.append("dt").text(title);
    host.append("dd").text(words);
  }
  if (!hasRoom && choice !== null && meanings(choice.sentence) !== "") {
    const first = host.select("dd");
    first.append("span").text(" ");
    first.append("a").attr("href", "#choice").text("What these figures mean");
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
  d3.select("#first")
    .classed("many", clusters.length > FEW_CLUSTERS)
    .style("--size", `${d3.max(clusters, (cluster) => sizeWords(cluster).length)}ch`);
  showLead();
  showSure();
  showFound();
  d3.select("#all-found").on("click", () => {
    state.allFound = !state.allFound;
    showFound();
  });
}
