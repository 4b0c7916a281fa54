// One card per cluster: what is high or low, rows to look at, a rule, and what sets it apart.

/** The file has no more columns and values of a cluster. */
const MOST_COLUMNS = 60;

/** Cards that are shown until the reader asks for all. */
const MANY_CARDS = 12;

function showClusters() {
  d3.select("#clusters-note").text(
    "Bars of numbers: how far the mean of the cluster is from that of all rows, in standard deviations. " +
      "Bars of categories: the share of the cluster’s rows that have the value; the line marks the share among all rows. " +
      "Typical rows are nearest to the mean of the cluster, ambiguous rows to another cluster. A rule is an approximation; " +
      "why a row is in its cluster exactly is under “One point”.",
  );
  d3.select("#all-cards").on("click", () => {
    state.allCards = !state.allCards;
    showCards();
  });
  // The list of all clusters has links to cards that may not be shown yet.
  d3.select("#found-clusters").on("click", (event) => {
    const link = event.target.closest("a");
    if (link !== null && document.getElementById(link.hash.slice(1)) === null) document.getElementById("all-cards").click();
  });
  showCards();
}

function showCards() {
  d3.select("#cards")
    .selectAll(".card")
    .data(state.allCards ? clusters : clusters.slice(0, MANY_CARDS))
    .join((enter) =>
      enter
        .append("article")
        .attr("class", "card")
        .attr("data-cluster", ({ cluster }) => cluster)
        .style("--cluster", ({ cluster }) => colour(cluster))
        .attr("aria-labelledby", ({ cluster }) => `cluster-${cluster}`)
        .each(function (cluster) {
          fillCard(d3.select(this), cluster);
        }),
    );
  showAllButton("#cards-more", "#all-cards", clusters.length, MANY_CARDS, state.allCards, "clusters");
}

function fillCard(card, cluster) {
  const at = cluster.cluster;
  const head = card.append("div").attr("class", "card-head");
  nameCluster(head.append("h3").attr("id", `cluster-${at}`).attr("class", "cluster-name"), at);
  head.append("p").attr("class", "small").text(sizeWords(cluster));
  writeSentence(card.append("p").attr("class", "card-words"), () => afterOpening(at), 600);
  const [numbers, values] = [numbersOf(at).length, valuesOf(at).length];
  if (numbers > 0) card.append("div").attr("class", "chart numbers");
  if (values > 0) card.append("div").attr("class", "chart values");
  if (numbers + values === 0) card.append("p").attr("class", "small").text("No column differs from that of all rows.");
  if (numbers > PROFILE_NUMBERS || values > PROFILE_VALUES) addCardButton(card, cluster);
  const facts = card.append("dl").attr("class", "card-facts");
  showRule(facts, profile.clusters[at].rule);
  facts.append("div").attr("class", "apart");
  showLinks(facts, "Typical rows", profile.clusters[at].typical);
  showLinks(facts, "Farthest from other clusters", profile.clusters[at].farthest);
  showCertainty(facts, cluster);
  const box = card.append("details");
  box.append("summary").text("Mean relevances: what sets it apart, exactly");
  box
    .append("p")
    .attr("class", "small")
    .text(
      `Bars: mean relevance over the rows of the cluster; they add up to their mean logit, ` +
        `${formatLogit()(cluster.mean_logit)}. Whiskers: one standard deviation to either side.`,
    );
  box.append("div").attr("class", "chart relevances");
  drawCard(card, cluster);
}

/** Draws the charts of a card, and again when its rows or groups change. */
function drawCard(card, cluster) {
  const all = state.openCards.has(cluster.cluster);
  const keep = (selector, draw) => {
    const host = card.select(selector).node();
    if (host !== null) keepDrawn(host, () => draw(host));
  };
  keep(".numbers", (host) => drawNumbersOf(host, cluster.cluster, all));
  keep(".values", (host) => drawValuesOf(host, cluster.cluster, all));
  keep(".relevances", (host) => drawRelevancesOf(host, cluster));
  showApart(card.select(".apart"), cluster);
}

function addCardButton(card, cluster) {
  const at = cluster.cluster;
  const all = profile.clusters[at].columns.length;
  const words = () => (state.openCards.has(at) ? "Show the most striking only" : all < MOST_COLUMNS ? `Show all ${whole(all)} columns and values` : `Show the ${whole(all)} most striking`);
  const button = card.append("p").attr("class", "more").append("button").attr("class", "link").attr("type", "button").text(words());
  button.on("click", () => {
    if (!state.openCards.delete(at)) state.openCards.add(at);
    button.text(words());
    drawCard(card, cluster);
  });
}

/** A line of a card: a title and what stands beside it. */
function cardFact(facts, title) {
  const line = facts.append("div");
  line.append("dt").text(title);
  return line.append("dd");
}

/** A rule whose conditions are cut at their end; how good it is stays behind them. */
function briefRule(text, length) {
  const colon = text.lastIndexOf(": ");
  const end = colon < 0 ? text.length : colon;
  return withoutEnd(text.slice(0, end), length) + text.slice(end);
}

function showRule(facts, rule) {
  const line = cardFact(facts, "Rule, approximate");
  if (rule === null) line.text("no short rule tells this cluster from the others");
  else writeCut(line, () => said(rule.text), 400, briefRule);
}

function showApart(line, cluster) {
  const words = apartWords(cluster);
  line.attr("hidden", words === "" ? "" : null).selectAll("*").remove();
  line.append("dt").text("Set apart by");
  const text = line.append("dd").text(words);
  const { competitor } = profile.clusters[cluster.cluster];
  if (competitor === null || pairOf(cluster.cluster, competitor) === null) return;
  text
    .append("a")
    .attr("class", "controls-hint")
    .attr("href", addressOfPair(cluster.cluster, competitor))
    .attr("aria-label", `Compare cluster ${clusterTitle(cluster.cluster)} with cluster ${clusterTitle(competitor)}`)
    .text("Compare");
}

function showLinks(facts, title, rows) {
  if (rows.length > 0) linkRows(cardFact(facts, title), rows);
}

function linkRows(line, rows) {
  line
    .append("span")
    .attr("class", "links")
    .selectAll("a")
    .data(rows)
    .join("a")
    .attr("href", (row) => `#point=${row}`)
    .attr("data-row", String)
    .call(writeName, rowTitle, 48)
    .attr("title", (row) => (rowTitle(row) === `row ${row}` ? null : `${rowTitle(row)}, row ${row}`));
}

function showCertainty(facts, { cluster, ambiguous }) {
  const { ambiguous: share } = profile.clusters[cluster];
  const found = Math.round(share * clusters[cluster].points);
  const line = cardFact(facts, "Ambiguous rows");
  const words = found === 0 ? "none; the least clear: " : `${whole(found)} (${percent(share)}): `;
  line.append("span").attr("class", "ambiguous-share").text(words);
  linkRows(line, found === 0 ? ambiguous : ambiguous.slice(0, found));
  const { stability } = profile.clusters[cluster];
  if (stability !== null) cardFact(facts, "Stability").text(stability);
}

changed.on("groups.cards", () =>
  d3.selectAll(".card").each(function (cluster) {
    drawCard(d3.select(this), cluster);
  }),
);
