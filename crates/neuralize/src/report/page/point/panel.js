// The panel of the open point: facts, sentence, the question, and the charts that answer it.

function showPoint() {
  const { point } = state;
  const full = listed.detail[point] >= 0;
  d3.select("#point-heading").text(pointTitle(point));
  showPointFacts(point);
  d3.select("#point-full").attr("hidden", full ? null : "");
  d3.select("#point-brief").attr("hidden", full ? "" : null);
  d3.select("#sentence").text(full ? explanationOf(point, state.versus).sentence : "");
  if (full) showFull();
  else showBrief();
}

function showPointFacts(point) {
  d3.select("#point-facts").selectAll("*").remove();
  const own = listed.cluster[point];
  const cluster = showFact("#point-facts", "Cluster", "");
  swatch(cluster, clusterMark(own));
  const matched = clusters[own].class;
  cluster.append("span").text(` ${clusterName(own)}`);
  if (matched !== null) cluster.append("small").text(` matched class: ${className(matched)}`);
  if (classes !== null) {
    showFact(
      "#point-facts",
      report.label === null ? "Class" : `Class (${report.label})`,
      className(listed.class[point]),
      isMisplaced(point) ? "misclassified" : "",
    );
  }
  showFact(
    "#point-facts",
    "Probability",
    formatProbability(listed.probability[point]),
    `against cluster ${clusterName(listed.competitor[point])}`,
  );
  showFact("#point-facts", "Logit", formatLogit()(listed.logit[point]), partsWords(point));
}

function showFull() {
  showQuestions();
  showBars();
  showNumbers();
  keepDrawn(document.getElementById("waterfall"), drawWaterfall);
}

function showQuestions() {
  const questions = [null, ...contrastsOf(state.point)];
  d3.select("#question")
    .selectAll("option")
    .data(questions)
    .join("option")
    .attr("value", (other) => other ?? "")
    .property("selected", (other) => other === state.versus)
    .text((other) => (other === null ? betaWords : `rather than cluster ${clusterName(other)}`));
  const others = clusters.length - 1;
  const left = others - report.details.contrasts;
  d3.select("#question-note").text(left > 0 ? `(the ${others - left} nearest of ${others} other clusters)` : "");
}

/** Draws the strongest features of a point that the file only lists. */
function showBrief() {
  keepDrawn(document.getElementById("brief"), () => {
    const limit = listedLimit() || 1;
    drawChart(document.getElementById("brief"), {
      label: `Strongest features: ${strongestWords(state.point)}`,
      rows: strongestOf(state.point).map(({ feature, relevance }) => ({
        name: features[feature],
        relevance,
      })),
      columns: relevanceColumns(limit, formatListed()),
    });
  });
}

/** Where the open point stands among those that pass the filter. */
function showSteps() {
  const at = state.ordered.indexOf(state.point);
  const last = state.ordered.length - 1;
  d3.select("#position").text(at < 0 ? "filtered out" : `${whole(at + 1)} of ${whole(last + 1)}`);
  d3.select("#previous").attr("aria-disabled", at === 0 || last < 0);
  d3.select("#next").attr("aria-disabled", at === last);
}

changed.on("selection.panel", showSteps).on("point.panel", () => {
  showPoint();
  showSteps();
});

function preparePoint() {
  d3.select("#question").on("change", (event) => {
    const { value } = event.target;
    visit(state.point, { versus: value === "" ? null : Number(value), replace: true, focus: "stay" });
  });
  d3.selectAll("#feature-order, #relevance-scale").on("change", showPoint);
  d3.select("#all-features").on("click", () => {
    state.allFeatures = !state.allFeatures;
    showPoint();
  });
  d3.select("#previous").on("click", () => step(-1));
  d3.select("#next").on("click", () => step(1));
  d3.select("#point").on("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (
      by === undefined ||
      event.target.matches("select, .scroll") ||
      event.altKey ||
      event.ctrlKey ||
      event.metaKey
    )
      return;
    event.preventDefault();
    walk(by);
  });
}
