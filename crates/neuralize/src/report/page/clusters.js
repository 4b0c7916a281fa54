// One card per cluster: its facts, its mean relevances and links to points.

/** Features of a profile that are shown until the reader asks for all. */
const PROFILE_FEATURES = 13;

function showClusters() {
  d3.select("#clusters-note").text(
    "Bars: mean relevance over the points of the cluster, on one scale for all clusters; " +
      "whiskers: one standard deviation to either side. Beside the names: the centroid in the units of the data.",
  );
  const cards = d3
    .select("#cards")
    .selectAll(".card")
    .data(clusters)
    .join("article")
    .attr("class", "card")
    .style("--cluster", (cluster) => colour(cluster.cluster))
    .attr("aria-labelledby", (cluster) => `cluster-${cluster.cluster}`);
  cards.each(function (cluster) {
    showCard(d3.select(this), cluster);
  });
  d3.select("#all-profiles").on("click", () => {
    state.allProfiles = !state.allProfiles;
    showProfiles();
  });
  showProfiles();
}

function showCard(card, cluster) {
  const heading = card.append("h3").attr("id", `cluster-${cluster.cluster}`);
  swatch(heading, clusterMark(cluster.cluster));
  heading.append("span").text(`Cluster ${clusterName(cluster.cluster)}`);
  const facts = card.append("dl").attr("class", "facts").node();
  showFact(facts, "Points", whole(cluster.points), percent(cluster.points / report.total));
  if (classes !== null) showFact(facts, "Matched class", className(cluster.class));
  showFact(facts, "Mean logit", formatLogit()(cluster.mean_logit));
  card.append("div").attr("class", "chart profile");
  showLinks(card, "Typical points:", cluster.typical);
  showLinks(card, "Ambiguous points:", cluster.ambiguous);
}

function showLinks(card, title, rows) {
  if (rows.length === 0) return;
  const line = card.append("p").attr("class", "links");
  line.append("span").text(title);
  line
    .selectAll("a")
    .data(rows)
    .join("a")
    .attr("href", (row) => `#point=${row}`)
    .attr("aria-label", (row) => `Point ${row}`)
    .text(String);
}

function showProfiles() {
  showMore("#profiles-more", "#all-profiles", PROFILE_FEATURES, state.allProfiles);
  d3.selectAll(".profile").each(function (cluster) {
    keepDrawn(this, () => drawProfile(this, cluster));
  });
}

const profileLimit = once(
  () =>
    largest(
      clusters.flatMap(({ mean_relevance, deviation }) =>
        mean_relevance.map((mean, feature) => Math.abs(mean) + deviation[feature]),
      ),
    ) || 1,
);

function drawProfile(host, cluster) {
  const strongest = strongestFirst(cluster.mean_relevance);
  const format = formatFor(profileLimit(), "+");
  const rows = strongest
    .slice(0, state.allProfiles ? strongest.length : PROFILE_FEATURES)
    .map((feature) => ({
      name: features[feature],
      feature,
      centroid: cluster.centroid[feature],
      mean: cluster.mean_relevance[feature],
      deviation: cluster.deviation[feature],
    }));
  drawChart(host, {
    label: `Mean relevances in cluster ${clusterName(cluster.cluster)}: ${spoken(rows, (row) => format(row.mean))}`,
    rows,
    columns: [
      { title: "centroid", kind: "plain", text: (row) => valueText(row.feature, row.centroid, (value) => plain(Number(value.toPrecision(4)))) },
      {
        sides: true,
        domain: [-profileLimit(), profileLimit()],
        draw: (group, x, middle) => {
          drawBars(group, x, middle, { kind: (row) => `mean ${side(row.mean)}`, to: (row) => row.mean });
          group
            .append("path")
            .attr("class", "whisker")
            .attr(
              "d",
              ({ mean, deviation }) =>
                `M${x(mean - deviation)},${middle - 3}v6m0,-3H${x(mean + deviation)}m0,-3v6`,
            );
        },
      },
      { kind: "relevance", text: (row) => format(row.mean) },
    ],
  });
}
