// The head of the page: what was clustered, the facts about the model, and the checks.

/** Cluster sizes that are listed; the others are counted. */
const SIZES = 12;

function showFact(host, title, text, note) {
  const fact = d3.select(host).append("div");
  fact.append("dt").text(title);
  const description = fact.append("dd").text(text);
  if (note) description.append("small").text(` ${note}`);
  return description;
}

function showHead() {
  d3.select("#lead").text(
    `${count(report.total, "point")} of ${report.title} in ${clusters.length} clusters by ${model.kind} on ` +
      `${count(features.length, "feature")}, ${scaleWords[model.scale]}. For every point, this page shows which ` +
      "features put it into its cluster rather than into another one: positive relevances speak for the cluster, " +
      "negative ones against it. " +
      (report.absorbed.length === 0
        ? "They sum to the logit"
        : `Together with ${report.absorbed.join(" and ")}, which belong to no feature, they sum to the logit`) +
      ", the margin by which the point is in its cluster.",
  );
  showModelFacts();
  showCoverage();
  d3.select("#generator").text(`Written by ${report.generator}.`);
}

function showModelFacts() {
  const facts = "#facts";
  const heuristic = model.heuristic_beta === null ? "" : `heuristic: ${plain(model.heuristic_beta)}`;
  showFact(facts, "Beta", model.beta === null ? "infinite" : plain(model.beta), heuristic);
  if (model.rows !== null) showFact(facts, "Rows fitted", whole(model.rows));
  const sizes = clusters.map(({ points }) => whole(points));
  const more = sizes.length > SIZES ? ` and ${sizes.length - SIZES} more` : "";
  showFact(facts, "Cluster sizes", sizes.slice(0, SIZES).join(", ") + more);
  if (model.inertia !== null) showFact(facts, "Inertia", plain(model.inertia));
  if (model.agreement !== null) {
    showFact(facts, "Assignments that the network reproduces", `${(100 * model.agreement).toFixed(1)} %`);
  }
  if (model.iterations !== null) {
    const end = { true: "converged", false: "not converged" }[model.converged];
    showFact(facts, "Iterations", whole(model.iterations), end);
  }
  if (model.seed !== null) showFact(facts, "Seed", String(model.seed));
  if (report.agreeing !== null) {
    showFact(
      facts,
      `Cluster matches ${report.label ?? "class"}`,
      `${whole(report.agreeing)} of ${whole(report.total)}`,
      percent(report.agreeing / report.total),
    );
  }
}

function showCoverage() {
  const full = details.count;
  const brief = listed.count - full;
  const counted = report.total - listed.count;
  if (brief === 0 && counted === 0) return;
  const are = (number) => `${whole(number)} ${number === 1 ? "is" : "are"}`;
  const parts = [`${are(full)} shown in full`];
  if (brief > 0) parts.push(`${are(brief)} listed without details`);
  if (counted > 0) parts.push(`${are(counted)} only counted in the summaries of the clusters`);
  d3.select("#coverage")
    .attr("hidden", null)
    .text(`Of ${count(report.total, "point")}, ${parts.join("; ")}.`);
}

function showTrust() {
  const { trust } = report;
  const words =
    trust === null ? ["The relevances of this report were not checked when it was written."] : trust.words;
  d3.select("#trust-words")
    .selectAll("li")
    .data(words)
    .join("li")
    .text((sentence) => sentence);
  if (trust === null) return;
  d3.select("#trust-figures").text(
    [
      `${count(trust.points, "point")} in ${trust.precision}`,
      `conservation: at most ${small(trust.conservation_max)}, on average ${small(trust.conservation_mean)}`,
      ...(report.absorbed.length === 0 ? [] : [`absorbed by biases: ${small(trust.absorbed_mean)} on average`]),
      ...(trust.shift_max === null ? [] : [`shift by ${plain(trust.shift)}: at most ${small(trust.shift_max)}`]),
      ...(trust.autodiff_max === null
        ? []
        : [
            `autodiff: at most ${small(trust.autodiff_max)}`,
            `ties: ${whole(trust.ties)}`,
            `gradient × input: ${small(trust.gradient_times_input_mean)} on average`,
          ]),
    ].join(" · "),
  );
}
