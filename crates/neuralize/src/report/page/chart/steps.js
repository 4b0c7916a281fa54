// Charts of how relevances add up to a logit: that of a point, or the mean logit of a cluster.

/** Features with a step of their own; the others share one. */
const STEPS = 12;

/** Steps from 0 to the logit: the strongest features and groups, the others as one, and the parts of no feature. */
function waterfallSteps(relevance, parts) {
  const strongest = strongestUnits(relevance);
  const single = strongest.length > STEPS + 1 ? STEPS : strongest.length;
  const steps = unfolded(strongest.slice(0, single), relevance).map((unit) => ({
    ...unit,
    value: amountOf(unit, relevance),
    // An open group only spans the steps of its features.
    spans: isOpen(unit),
  }));
  const others = strongest.slice(single);
  if (others.length > 0) {
    steps.push({
      name: `other (${whole(d3.sum(others, (unit) => unit.features.length))} features)`,
      value: d3.sum(others, (unit) => amountOf(unit, relevance)),
    });
  }
  steps.push(...parts);
  let from = 0;
  return steps.map((each) => {
    const to = from + each.value;
    const step = { ...each, from, to };
    if (!each.spans) from = to;
    return step;
  });
}

/** Draws the steps from 0 to a logit, which has a name of its own. */
function drawSteps(host, { relevance, parts, logit, format, total }) {
  const steps = waterfallSteps(relevance, parts);
  const rows = [...steps, { name: total, value: logit, from: 0, to: logit, sum: true }];
  drawChart(host, {
    label: `From 0 to the ${total} ${format(logit)}: ${spoken(steps, (row) => format(row.value))}`,
    rows,
    columns: [
      {
        domain: widened(d3.extent([0, ...rows.map((row) => row.to)])),
        draw: (group, x, middle, rowHeight) => {
          drawBars(group, x, middle, {
            kind: (row) => (row.sum ? "step total" : row.spans ? "span" : `step ${side(row.value)}`),
            from: (row) => row.from,
            to: (row) => row.to,
            value: (row) => row.value,
          });
          group
            .filter((row) => !row.sum && !row.spans)
            .append("path")
            .attr("class", "join")
            .attr("d", (row) => `M${x(row.to)},${middle + 7}v${rowHeight - 14}`);
        },
      },
      { kind: "relevance", text: (row) => format(row.value) },
    ],
  });
}
