// The charts of a card: what is high or low in a cluster, and which values are more or less frequent there.

/** Numbers and values of categories that a card shows until the reader asks for all. */
const PROFILE_NUMBERS = 8;
const PROFILE_VALUES = 6;

/** The smallest standardised difference that a chart has room for, so that slight differences look slight. */
const LEAST_DIFFERENCE = 1;

const numbersOf = (cluster) => profile.clusters[cluster].columns.filter(({ value }) => value === null);
const valuesOf = (cluster) => profile.clusters[cluster].columns.filter(({ value }) => value !== null);

/** A row of a profile, with its own and the overall number as texts. */
function profileRow(column) {
  const [ownText, overallText] = pairText(column, column.own, column.overall);
  return { name: columnName(column), ...column, ownText, overallText };
}

const highOrLow = (number) => (number < 0 ? "low" : "high");

/** What a row says in words, for the pointer and for screen readers. */
function profileWords({ value, difference, ownText, overallText, v, median, feature }) {
  const spread = difference === null ? "" : `, ${withDigits(Math.abs(difference), 2)} standard deviations ${difference < 0 ? "lower" : "higher"}`;
  const middle = median === null || median === undefined ? "" : `, median ${valueText(feature, median, (number) => withDigits(number, 3))}`;
  const test = v === null ? "" : `, v-test ${withDigits(v, 3)}`;
  return `${value === null ? "mean" : "share"} ${ownText}, overall ${overallText}${value === null ? spread : ""}${middle}${test}`;
}

/** Puts the words of a row over its whole width. */
function hoverWords(rows, x, middle, words) {
  const [left, right] = x.range();
  rows
    .append("rect")
    .attr("class", "hover")
    .attr("x", left)
    .attr("width", right - left)
    .attr("y", middle - 10)
    .attr("height", 20)
    .append("title")
    .text(words);
}

const ownAndOverall = [
  { title: "here", kind: "own", text: (row) => row.ownText },
  { title: "overall", kind: "plain", text: (row) => row.overallText },
];

function drawNumbersOf(host, cluster, all) {
  const rows = numbersOf(cluster)
    .slice(0, all ? Infinity : PROFILE_NUMBERS)
    .map(profileRow);
  drawChart(host, {
    label: `Means in cluster ${clusterName(cluster)} beside those of all rows: ${spoken(rows, profileWords)}`,
    rows,
    columns: [
      {
        sides: ["← low", "high →"],
        domain: aroundMost(
          rows.map(({ difference }) => difference ?? 0),
          LEAST_DIFFERENCE,
        ),
        draw: (group, x, middle) => {
          drawBars(group, x, middle, {
            kind: ({ difference }) => `profile ${highOrLow(difference ?? 0)}`,
            to: ({ difference }) => difference ?? 0,
          });
          hoverWords(group, x, middle, profileWords);
        },
      },
      ...ownAndOverall,
    ],
  });
}

function drawValuesOf(host, cluster, all) {
  const rows = valuesOf(cluster)
    .slice(0, all ? Infinity : PROFILE_VALUES)
    .map(profileRow);
  drawChart(host, {
    label: `Shares in cluster ${clusterName(cluster)} beside those of all rows: ${spoken(rows, profileWords)}`,
    rows,
    columns: [
      {
        heading: "share; line: overall",
        domain: [0, 1],
        ticks: [0, 0.5, 1],
        format: percent,
        draw: (group, x, middle) => {
          drawBars(group, x, middle, {
            kind: ({ own, overall }) => `share ${highOrLow(own - overall)}`,
            to: ({ own }) => own,
          });
          group
            .append("path")
            .attr("class", "overall")
            .attr("d", ({ overall }) => `M${x(overall)},${middle - 10}v20`);
          hoverWords(group, x, middle, profileWords);
        },
      },
      ...ownAndOverall,
    ],
  });
}
