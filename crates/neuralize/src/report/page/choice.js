// How many clusters: the numbers that were tried, as curves and as a table.

/** The stability that a number of clusters needs. */
const STABLE = 0.8;

/** With two digits, and rounded down where that would say that it is enough. */
const stabilityText = (stability) => twoDigits(stability < STABLE ? Math.min(stability, STABLE - 0.01) : stability);

/** What a number of clusters lacks, in words. */
const LACKS = {
  size: ({ smallest }) => `a cluster of only ${count(smallest, "row")}`,
  stability: ({ stability }) => `not stable (${stabilityText(stability)})`,
  valley: () => "rows do not thin out between its clusters",
  gain: () => "little better than data without clusters",
};

function verdict(candidate) {
  const lacks = candidate.failed.map((check) => LACKS[check]?.(candidate) ?? check);
  const passed = lacks.length === 0 ? "passes all checks" : lacks.join("; ");
  return candidate.clusters === choice.recommended ? `recommended; ${passed}` : passed;
}

/** A number of the table with its error; a dash if there is none. */
function withError(number, error, format, errorFormat = format) {
  if (number === null || number === undefined) return "–";
  return format(number) + (error === null || error === undefined ? "" : ` ± ${errorFormat(error)}`);
}

/** Whether a figure is known of any number of clusters. */
const isKnown = (key) => choice.candidates.some((found) => typeof found[key] === "number");

const choiceColumns = () => {
  const threeDigits = d3.format(".3f");
  const digits = (number) => withDigits(number, 4);
  return [
    { title: "Clusters", text: ({ clusters: number }) => whole(number) },
    { title: "Verdict", isText: true, text: verdict },
    { title: "Silhouette", text: (found) => withError(found.silhouette, found.silhouette_error, threeDigits) },
    ...(isKnown("without") ? [{ title: "Without clusters", text: (found) => withError(found.without, null, threeDigits) }] : []),
    { title: "Gain", text: (found) => withError(found.gain, null, threeDigits) },
    { title: "Stability", text: (found) => withError(found.stability, found.stability_spread, stabilityText, twoDigits) },
    { title: "Smallest cluster", text: (found) => withError(found.smallest, null, whole) },
    { title: "Caliński-Harabasz", text: (found) => withError(found.calinski_harabasz, null, digits) },
    { title: "Davies-Bouldin", text: (found) => withError(found.davies_bouldin, null, threeDigits) },
    { title: "Gap", text: (found) => withError(found.gap, found.gap_error, threeDigits) },
    ...(isKnown("bic") ? [{ title: "BIC", text: (found) => withError(found.bic, null, digits) }] : []),
    { title: "Inertia", text: (found) => withError(found.inertia, null, digits) },
  ];
};

function showChoiceTable() {
  const columns = choiceColumns();
  d3.select("#choice-table thead tr")
    .selectAll("th")
    .data(columns)
    .join("th")
    .attr("scope", "col")
    .attr("class", ({ isText }) => (isText ? null : "amount"))
    .text(({ title }) => title);
  d3.select("#choice-table tbody")
    .selectAll("tr")
    .data(choice.candidates)
    .join("tr")
    .classed("recommended", (found) => found.clusters === choice.recommended)
    .attr("data-clusters", (found) => found.clusters)
    .selectAll("td")
    .data((found) => columns.map((column) => ({ column, found })))
    .join("td")
    .attr("class", ({ column }) => (column.isText ? "words-cell" : "amount"))
    .text(({ column, found }) => column.text(found));
}

/** The curves: how good every number of clusters is, and what it has to beat. One number alone makes no curve. */
const curves = () => {
  if (choice.candidates.length < 2) return [];
  const points = (key, spread) =>
    choice.candidates
      .filter((found) => typeof found[key] === "number")
      .map((found) => ({ x: found.clusters, y: found[key], spread: found[spread] ?? 0 }));
  const silhouette = isKnown("judged_silhouette") ? "judged_silhouette" : "silhouette";
  return [
    {
      title: "Silhouette",
      note: isKnown("without") ? "dashed: without clusters" : "",
      points: points(silhouette, silhouette === "silhouette" ? "silhouette_error" : "none"),
      dashed: points("without"),
    },
    {
      title: "Stability",
      note: `dashed: ${STABLE}, which is needed`,
      points: points("stability", "stability_spread"),
      dashed: choice.candidates.map((found) => ({ x: found.clusters, y: STABLE })),
      most: 1,
    },
    { title: "BIC", note: "smaller is better", points: points("bic"), dashed: [], awayFromZero: true },
    { title: "Inertia", note: "smaller is closer; it always falls", points: points("inertia"), dashed: [] },
  ].filter((curve) => curve.points.length > 0);
};

function drawCurve(host, { title, points, dashed, awayFromZero, most = Infinity }) {
  const width = host.clientWidth;
  if (width === 0) return;
  const [height, left, right, top, bottom] = [170, 46, 10, 10, 26];
  const above = ({ y, spread }) => Math.min(most, y + spread);
  const ends = [...points.flatMap((point) => [point.y - point.spread, above(point)]), ...dashed.map(({ y }) => y), ...(awayFromZero ? [] : [0])];
  const x = d3.scaleLinear(widened(d3.extent(choice.candidates, (found) => found.clusters)), [left + 8, width - right - 8]);
  const y = d3.scaleLinear(widened(d3.extent(ends)), [height - bottom, top]).nice(4);
  const spokenPoints = points.map((point) => `${point.x} clusters ${withDigits(point.y, 3)}`).join(", ");
  const svg = emptyPicture(host, width, height, `${title}: ${spokenPoints}`);
  const [few, many] = x.domain();
  const step = Math.ceil((many - few + 1) / Math.max(2, Math.floor(width / 34)));
  const numbers = d3.range(few, many + 1, step);
  const labels = y.ticks(4);
  const size = largest(labels);
  svg
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(0,${height - bottom})`)
    .call(d3.axisBottom(x).tickValues(numbers).tickFormat(whole).tickSizeOuter(0));
  svg
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(${left},0)`)
    .call(d3.axisLeft(y).tickValues(labels).tickFormat(size >= 1e4 ? d3.format("~s") : joinedTicks(y, 4)).tickSizeOuter(0));
  const line = d3.line((point) => x(point.x), (point) => y(point.y));
  if (dashed.length > 0) svg.append("path").attr("class", "curve dashed").attr("d", line(dashed));
  svg.append("path").attr("class", "curve").attr("d", line(points));
  const marks = svg.append("g").selectAll("g").data(points).join("g");
  marks
    .filter(({ spread }) => spread > 0)
    .append("path")
    .attr("class", "whisker")
    .attr("d", (point) => `M${x(point.x)},${y(point.y - point.spread)}V${y(above(point))}`);
  marks
    .append("circle")
    .attr("class", (point) => (point.x === choice.recommended ? "mark recommended" : "mark"))
    .attr("cx", (point) => x(point.x))
    .attr("cy", (point) => y(point.y))
    .attr("r", (point) => (point.x === choice.recommended ? 5.5 : 3))
    .append("title")
    .text((point) => `${point.x} clusters: ${withDigits(point.y, 3)}`);
}

function showChoice() {
  d3.selectAll("#choice, .contents [href='#choice']").attr("hidden", choice === null ? "" : null);
  if (choice === null) return;
  d3.select("#choice-sentence").text(numberWords(true));
  d3.selectAll("#choice-table, #choice-note").attr("hidden", choice.candidates.length > 0 ? null : "");
  const figures = d3.select("#curves").selectAll("figure").data(curves()).join("figure");
  const captions = figures.append("figcaption");
  captions.append("strong").text(({ title }) => title);
  captions.append("span").attr("class", "small").text(({ note }) => ` ${note}`);
  figures
    .append("div")
    .attr("class", "chart")
    .each(function (curve) {
      keepDrawn(this, () => drawCurve(this, curve));
    });
  showChoiceTable();
  const areSame = choice.sampled === null && choice.lonely === 0 && !choice.figured;
  const judged = choice.sampled === null ? "the rows" : `${whole(choice.sampled)} of ${count(choice.rows, "row")}`;
  const others = choice.figured ? `${whole(choice.figured)} rows drawn at random` : "all rows";
  d3.select("#choice-note").text(
    "Silhouette: how much nearer rows are to their own cluster than to the next, 1 at best. Gain: how far it is above that of data " +
      "without clusters. Stability: how far clusterings of resampled rows agree, 1 at best. " +
      (isKnown("bic") ? "BIC: how badly the mixture fits, plus a price for its parameters; only differences between numbers count. " : "") +
      "A number of clusters counts if it passes all checks. " +
      (areSame
        ? "All figures are of all rows."
        : `Gain, stability, smallest cluster and gap are of ${judged}${choice.lonely === 0 ? "" : ", without lonely ones"}; the other columns are of ${others}.`),
  );
}
