// The panel of the open point: facts, sentence, the question, and the charts that answer it.

function showPoint() {
  const { point } = state;
  const full = listed.detail[point] >= 0;
  d3.select("#point-heading").text(pointTitle(point));
  showPointFacts(point);
  d3.select("#point-full").attr("hidden", full ? null : "");
  d3.select("#point-brief").attr("hidden", full ? "" : null);
  d3.select("#sentence").text(full ? sentenceOf(point, state.versus) : "");
  if (full) showFull();
  else showBrief();
}

function showPointFacts(point) {
  d3.select("#point-facts").selectAll("*").remove();
  const own = listed.cluster[point];
  const cluster = showFact("#point-facts", "Cluster", "");
  swatch(cluster, clusterMark(own));
  const called = classOf(own);
  cluster.append("span").text(` ${clusterTitle(own)}`);
  if (called !== null) cluster.append("small").text(` matched class: ${className(called)}`);
  if (classes !== null) {
    showFact(
      "#point-facts",
      report.label === null ? "Class" : `Class (${brief(report.label, 40)})`,
      className(listed.class[point]),
      isMisplaced(point) ? "misclassified" : "",
    );
  }
  showFact(
    "#point-facts",
    "Probability",
    formatProbability(listed.probability[point]),
    `against cluster ${clusterTitle(listed.competitor[point])}`,
  );
  showFact("#point-facts", "Logit", logitText(point), partsWords(point));
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
    .text((other) => (other === null ? betaWords : `rather than cluster ${clusterTitle(other, 40)}`));
  const others = clusters.length - 1;
  const left = others - report.details.contrasts;
  d3.select("#question-note").text(left > 0 ? `(the ${others - left} nearest of ${others} other clusters)` : "");
}

/** Features and groups that the sentence of a point names. */
const REASONS = 3;
const OBJECTIONS = 2;

/** The sentence that belongs to the question: the program has those against one cluster, this page that against all. */
function sentenceOf(point, versus) {
  const explanation = explanationOf(point, versus);
  const isAgainstOne = versus !== null || model.beta === null || clusters.length < 3;
  return isAgainstOne ? explanation.sentence : againstAll(explanation);
}

/** `In cluster 0 rather than any other mainly because of a (1) and b (2); c speaks against it.`: as the program says it against one. */
function againstAll(explanation) {
  const { own, relevance, parts } = explanation;
  const opening = `In cluster ${clusterTitle(own)} rather than any other`;
  const amount = (some) => Math.abs(d3.sum(some, (unit) => amountOf(unit, relevance)));
  const [speaking, opposing] = [1, -1].map((sign) => strongestUnits(relevance).filter((unit) => sign * amountOf(unit, relevance) > 0));
  const helping = parts.filter(({ value }) => value > 0).map(({ name }) => name);
  if (amount(speaking) <= amount(opposing)) return helping.length === 0 ? "" : `${opening} because of ${inWords(helping, REASONS)} alone.`;
  /** The strongest that make up half of the amount. */
  const leading = (some, most) => some.slice(0, most).filter((_, at) => amount(some.slice(0, at)) < amount(some) / 2);
  const inBrackets = (text) => brief(text, 40).replace(" (filled in)", ", filled in");
  const value = (unit) => (unit.feature === null ? count(unit.features.length, "feature") : inBrackets(pointValueText(unit.feature, explanation)));
  const reasons = leading(speaking, REASONS);
  const names = reasons.map((unit) => `${brief(unit.name)} (${value(unit)})`);
  const isMost = amount(reasons) >= amount(speaking) / 2;
  const because = !isMost ? "for many small reasons, the largest being" : reasons.length < speaking.length ? "mainly because of" : "because of";
  const against = amount(opposing) <= 0.05 * amount(speaking) ? [] : leading(opposing, OBJECTIONS).map(({ name }) => name);
  const objection = against.length === 0 ? "" : `; ${inWords(against, OBJECTIONS)} ${against.length === 1 ? "speaks" : "speak"} against it`;
  return `${opening} ${because} ${inWords(names, REASONS, Infinity)}${objection}.`;
}

/** Draws the strongest features of a point that the file only lists. */
function showBrief() {
  keepDrawn(document.getElementById("brief"), () => {
    const limit = listedUsual() || 1;
    drawChart(document.getElementById("brief"), {
      label: `Strongest features: ${strongestWords(state.point)}`,
      rows: strongestOf(state.point).map(({ feature, relevance }) => ({
        name: features[feature],
        feature,
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
changed.on("groups.panel", showPoint);

/** What the probability of a point is, and what it is not. */
const PROBABILITY =
  "The probability says how clearly a point is in its cluster rather than in the nearest competitor: 0.5 on the boundary. " +
  "It depends on the units and the scale of the features, so compare it between points, not with other models.";

function preparePoint() {
  d3.select("#point-note").text(
    "Positive relevances speak for the cluster of the point, negative ones against it. " +
      (report.absorbed.length === 0
        ? "They add up"
        : `Together with ${report.absorbed.join(" and ")}, which belong to no feature, they add up`) +
      ` exactly to the logit, the margin by which the point is in its cluster. ${PROBABILITY}`,
  );
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
