// Whether the explanations can be trusted: the checks in words, and the settings that the clusters come from.

function showSettings() {
  const facts = "#facts";
  showFact(facts, "Method", model.kind);
  showFact(facts, "Features", whole(features.length), scalingText());
  if (model.rows !== null) showFact(facts, "Rows fitted", whole(model.rows));
  const heuristic = model.heuristic_beta === null ? "" : `heuristic: ${plain(model.heuristic_beta)}`;
  showFact(facts, "Beta (how sharply competitors are told apart)", model.beta === null ? "infinite" : plain(model.beta), heuristic);
  if (model.inertia !== null) showFact(facts, "Inertia", plain(model.inertia));
  if (model.agreement !== null) {
    showFact(facts, "Assignments that the network reproduces", percent(model.agreement));
  }
  if (model.iterations !== null) {
    const end = { true: "converged", false: "not converged" }[model.converged];
    showFact(facts, "Iterations", whole(model.iterations), end);
  }
  if (model.seed !== null) showFact(facts, "Seed", String(model.seed));
}

function showCoverage() {
  const full = details.count;
  const short = listed.count - full;
  const counted = report.total - listed.count;
  if (short === 0 && counted === 0) return;
  const are = (number) => `${whole(number)} ${number === 1 ? "is" : "are"}`;
  const parts = [`${are(full)} shown in full`];
  if (short > 0) parts.push(`${are(short)} listed without details`);
  if (counted > 0) parts.push(`${are(counted)} only counted in the summaries of the clusters`);
  d3.select("#coverage")
    .attr("hidden", null)
    .text(`Of ${count(report.total, "point")}, ${parts.join("; ")}.`);
}

/** The exact parts of the page, and those that are not. */
const KINDS_OF_ANSWERS = [
  "Exact: the relevances of a point and the mean relevances of a cluster. They take apart the decision of the clustering itself, not a model of it.",
  "Approximate: the rule of a cluster. How much of the cluster it finds, and how often it is right, stands beside it.",
];

function showTrust() {
  const { trust } = report;
  const checked =
    trust === null ? ["The relevances of this report were not checked when it was written."] : trust.words;
  d3.select("#trust-words")
    .selectAll("li")
    .data([...KINDS_OF_ANSWERS, ...checked, ...(profile.remark ? [profile.remark] : [])])
    .join("li")
    .text(said);
  showSettings();
  showCoverage();
  d3.select("#generator").text(`Written by ${report.generator}.`);
  if (trust === null) return;
  d3.select("#trust-figures").text(
    [
      `Checked: ${count(trust.points, "point")} in ${trust.precision}`,
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
