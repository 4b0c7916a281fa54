// How the relevances of the open point add up to its logit.

/** Features with a step of their own; the others share one. */
const STEPS = 12;

/** Steps from 0 to the logit: the strongest features, the other features as one, and the parts of no feature. */
function waterfallSteps(relevance, parts) {
  const strongest = strongestFirst(relevance);
  const single = features.length > STEPS + 1 ? STEPS : features.length;
  const steps = strongest
    .slice(0, single)
    .map((feature) => ({ name: features[feature], value: relevance[feature] }));
  const others = strongest.slice(single);
  if (others.length > 0) {
    steps.push({
      name: `other (${others.length} features)`,
      value: d3.sum(others, (feature) => relevance[feature]),
    });
  }
  steps.push(...parts);
  let from = 0;
  return steps.map((each) => ({ ...each, from, to: (from += each.value) }));
}

function drawWaterfall() {
  const { relevance, parts, logit, limit } = explanationOf(state.point, state.versus);
  const steps = waterfallSteps(relevance, parts);
  const format = formatFor(limit, "+");
  const rows = [...steps, { name: "logit", value: logit, from: 0, to: logit, sum: true }];
  drawChart(document.getElementById("waterfall"), {
    label: `From 0 to the logit ${format(logit)}: ${spoken(steps, (row) => format(row.value))}`,
    rows,
    columns: [
      {
        domain: widened(d3.extent([0, ...rows.map((row) => row.to)])),
        draw: (group, x, middle, rowHeight) => {
          drawBars(group, x, middle, {
            kind: (row) => (row.sum ? "step total" : `step ${side(row.value)}`),
            from: (row) => row.from,
            to: (row) => row.to,
            value: (row) => row.value,
          });
          group
            .filter((row) => !row.sum)
            .append("path")
            .attr("class", "join")
            .attr("d", (row) => `M${x(row.to)},${middle + 7}v${rowHeight - 14}`);
        },
      },
      { kind: "relevance", text: (row) => format(row.value) },
    ],
  });
}
