// Clusters and known classes: a table of shares, and how far the two divisions agree.

function showClasses() {
  const found = classes === null ? null : profile.classes;
  d3.select("#classes").attr("hidden", found === null ? "" : null);
  if (found === null) return;
  const name = report.label === null ? "known classes" : `known classes: ${brief(report.label)}`;
  d3.select("#classes-heading").text(`Clusters and ${name}`);
  d3.select("#classes-note").text("Of the rows of every cluster, the share that is of every class, with their number.");
  showClassTable(found);
  d3.select("#class-words").selectAll("li").data(classWords(found)).join("li").text(String);
}

/** Classes that have a column of their own; the rarest share one. */
const MANY_CLASSES = 30;

/** The columns of the table of classes: indices of classes, each with a name. */
function classColumns({ names, counts }) {
  const all = d3.range(names.length);
  if (names.length <= MANY_CLASSES) return all.map((at) => ({ name: names[at], of: [at] }));
  const size = (at) => d3.sum(counts, (row) => row[at]);
  const sorted = d3.sort(all, (a, b) => d3.descending(size(a), size(b)));
  const rare = sorted.slice(MANY_CLASSES - 1);
  return [
    ...sorted.slice(0, MANY_CLASSES - 1).map((at) => ({ name: names[at], of: [at] })),
    { name: `${rare.length} other classes`, of: rare },
  ];
}

function showClassTable(found) {
  const { counts } = found;
  const columns = classColumns(found);
  d3.select("#class-table thead tr")
    .selectAll("th")
    .data(["Cluster", ...columns.map(({ name }) => name)])
    .join("th")
    .attr("scope", "col")
    .attr("class", (_, at) => (at > 0 ? "amount" : null))
    .call(writeName, String, 40);
  const rows = d3.select("#class-table tbody").selectAll("tr").data(clusters).join("tr");
  const heads = rows.append("th").attr("scope", "row");
  heads.each(function ({ cluster }) {
    swatch(d3.select(this), clusterMark(cluster));
    writeName(d3.select(this).append("span"), () => ` ${clusterName(cluster)}`, 60);
  });
  const cells = rows
    .selectAll("td")
    .data(({ cluster, points }) =>
      columns.map(({ of }) => {
        const number = d3.sum(of, (at) => counts[cluster][at]);
        return { number, share: points > 0 ? number / points : 0 };
      }),
    )
    .join("td")
    .attr("class", "amount")
    .style("--share", ({ share }) => `${Math.round(40 * share)}%`)
    .text(({ share }) => percent(share));
  cells.append("small").text(({ number }) => ` ${whole(number)}`);
}

/** The two indices, each in a sentence. */
function classWords({ adjusted_rand, homogeneity, completeness, v_measure }) {
  return [
    `Adjusted Rand index ${twoDigits(adjusted_rand)}: how often two rows are together in both divisions or apart in both; ` +
      "1 if the divisions are the same, about 0 if they have nothing in common.",
    `V-measure ${twoDigits(v_measure)}: the harmonic mean of homogeneity ${twoDigits(homogeneity)} (a cluster has rows of one class ` +
      `only) and completeness ${twoDigits(completeness)} (the rows of a class are in one cluster); 1 is the best, 0 the worst.`,
    ...(oneToOne === null
      ? ["Clusters and classes are not one to one, so no cluster is called by a class."]
      : ["Clusters and classes are nearly one to one, so clusters are called by their class, and rows of another class are called misclassified."]),
  ];
}
