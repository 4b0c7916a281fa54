// One cluster against another: what tells two clusters apart, in words, by column and by relevance.

/** Compares a cluster with another one, or with the first that the file compares it with. */
function compare(own, other) {
  const others = comparedWith(own);
  visitPair(own, others.includes(other) ? other : others[0]);
}

function showVersus() {
  const { own, other } = state.pair;
  const found = pairOf(own, other);
  const option = (select, choices, chosen) =>
    d3
      .select(select)
      .selectAll("option")
      .data(choices)
      .join("option")
      .attr("value", String)
      .property("selected", (cluster) => cluster === chosen)
      .text((cluster) => clusterTitle(cluster, 40));
  option("#versus-a", clusters.map(({ cluster }) => cluster).filter((cluster) => comparedWith(cluster).length > 0), own);
  option("#versus-b", comparedWith(own), other);
  d3.select("#versus-sentence").text(found.sentence);
  const [one, two] = [own, other].map((cluster) => clusterTitle(cluster, 30));
  d3.select("#versus-differences-heading").text("By column");
  d3.select("#versus-differences-note").text(
    `How far the mean, or the share of a value, in cluster ${one} is from that in cluster ${two}, in standard deviations within the two.`,
  );
  d3.select("#versus-relevances-heading").text("By relevance, exactly");
  d3.select("#versus-relevances-note").text(
    `Why the rows of cluster ${one} are in it rather than in cluster ${two}: mean relevances, which add up to the mean logit.`,
  );
  const keep = (id, draw) => keepDrawn(document.getElementById(id), () => draw(document.getElementById(id), found));
  keep("versus-differences", drawDifferences);
  keep("versus-relevances", drawContrast);
}

function drawDifferences(host, { differences }) {
  const [one, two] = [state.pair.own, state.pair.other].map((cluster) => clusterTitle(cluster, 12));
  const rows = differences.map((column) => {
    const [ownText, otherText] = pairText(column, column.own, column.other);
    return { name: columnName(column), ...column, ownText, otherText };
  });
  const words = ({ ownText, otherText, difference }) =>
    `${ownText} in cluster ${one}, ${otherText} in cluster ${two}, ${withDigits(Math.abs(difference), 2)} standard deviations ` +
    (difference < 0 ? "lower" : "higher");
  drawChart(host, {
    label: `Cluster ${one} against cluster ${two}: ${spoken(rows, words)}`,
    rows,
    columns: [
      {
        sides: ["← lower", "higher →"],
        domain: aroundMost(
          rows.map(({ difference }) => difference),
          LEAST_DIFFERENCE,
        ),
        draw: (group, x, middle) => {
          drawBars(group, x, middle, {
            kind: ({ difference }) => `difference ${highOrLow(difference)}`,
            to: ({ difference }) => difference,
          });
          hoverWords(group, x, middle, words);
        },
      },
      { title: `in ${one}`, kind: "own", text: (row) => row.ownText },
      { title: `in ${two}`, kind: "plain", text: (row) => row.otherText },
    ],
  });
}

function drawContrast(host, { relevance, logit }) {
  const rest = logit - d3.sum(relevance);
  const size = largest(relevance) || 1;
  const isRounding = Math.abs(rest) <= 1e-6 * Math.max(size, Math.abs(logit));
  const parts = isRounding ? [] : [{ name: report.absorbed.join(", ") || "of no feature", value: rest }];
  const limit = largest(units().map((unit) => amountOf(unit, relevance))) || 1;
  drawSteps(host, { relevance, parts, logit, format: formatFor(limit, "+"), total: "mean logit" });
}

function prepareVersus() {
  const first = clusters.map(({ cluster }) => cluster).find((cluster) => comparedWith(cluster).length > 0);
  d3.selectAll("#versus, .contents [href='#versus']").attr("hidden", first === undefined ? "" : null);
  if (first === undefined) return;
  d3.select("#versus-form").on("submit", (event) => event.preventDefault());
  d3.select("#versus-a").on("change", (event) => compare(Number(event.target.value), state.pair.other));
  d3.select("#versus-b").on("change", (event) => compare(state.pair.own, Number(event.target.value)));
  d3.select("#versus-swap").on("click", () => compare(state.pair.other, state.pair.own));
  changed.on("pair.versus groups.versus", showVersus);
  showPair(first, comparedWith(first)[0]);
}
